#include "runtime/session.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"
#include "runtime/dispatch.h"

namespace kinglet::runtime {

using plan::Operand;

namespace {

constexpr std::align_val_t kAlignment{64};

/// Filled alike each time, so that a run's bytes never depend on what the memory held before; not with zeros, so that a kernel that
/// counts on them fails in its first run and not in its second.
std::byte* allocate(int64_t bytes) {
  const size_t size = std::max<size_t>(static_cast<size_t>(bytes), 1);
  auto* p = static_cast<std::byte*>(::operator new(size, kAlignment));
  std::memset(p, 0xA5, size);
  return p;
}

void check_processor(const plan::Step& step) {
  const auto have = plan::available_isas();
  const auto needed = plan::kernel_isa(step.kernel);
  if (std::find(have.begin(), have.end(), needed) != have.end()) return;
  throw Error(step.node, "was planned for " + std::string(plan::isa_name(needed)) + ", which this processor does not have", "plan for target 'host' on this machine");
}

}  // namespace

void Session::Free::operator()(std::byte* p) const { ::operator delete(p, kAlignment); }

Session::Session(const plan::Plan& plan) : plan_(plan), arena_(allocate(plan.arena_bytes)) {
  for (const auto& step : plan.steps) {
    check_processor(step);
    bind(step);
  }
}

void Session::bind(const plan::Step& step) {
  const KernelEntry& entry = kernel_entry(step.kernel);
  KINGLET_CHECK(entry.invoke && entry.pointer_count == step.operands.size() && entry.takes(step.args), step.node);
  const void* args = std::visit([](const auto& a) -> const void* { return &a; }, step.args);
  calls_.push_back({entry.invoke, args, pointers_.size()});
  for (const Operand& o : step.operands) {
    const auto index = static_cast<size_t>(o.index);
    void* pointer = nullptr;
    switch (o.kind) {
      case Operand::Kind::arena: pointer = arena_.get() + o.index; break;
      case Operand::Kind::constant: pointer = const_cast<std::byte*>(plan_.constants.at(index).tensor.bytes().data()); break;
      case Operand::Kind::input: input_patches_.push_back({pointers_.size(), index}); break;
      case Operand::Kind::output: output_patches_.push_back({pointers_.size(), index}); break;
    }
    pointers_.push_back(pointer);
  }
  output_pointer_.push_back(pointers_.size() - 1);
}

void Session::run(std::span<const void* const> inputs, std::span<void* const> outputs) noexcept {
  for (const Patch& p : input_patches_) pointers_[p.pointer] = const_cast<void*>(inputs[p.port]);
  for (const Patch& p : output_patches_) pointers_[p.pointer] = outputs[p.port];
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Call& call = calls_[i];
    call.invoke(call.args, &pointers_[call.first]);
    if (tap_) tap_(static_cast<int>(i), {static_cast<const std::byte*>(pointers_[output_pointer_[i]]), static_cast<size_t>(plan_.steps[i].output_bytes)});
  }
}

}  // namespace kinglet::runtime
