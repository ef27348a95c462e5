#include <cstring>

#include "eval/engine.h"
#include "runtime/session.h"

namespace kinglet::eval {

namespace {

/// Inputs and outputs of one worker, aligned as kernels want them.
struct Desk {
  explicit Desk(const plan::Plan& plan) : session(plan) {
    for (const auto& port : plan.inputs) inputs.emplace_back(port.dtype, port.shape);
    for (const auto& port : plan.outputs) outputs.emplace_back(port.dtype, port.shape);
    for (auto& tensor : inputs) from.push_back(tensor.mutable_bytes().data());
    for (auto& tensor : outputs) to.push_back(tensor.mutable_bytes().data());
  }
  runtime::Session session;
  std::vector<Tensor> inputs, outputs;
  std::vector<void*> to;
  std::vector<const void*> from;
};

class SessionEngine final : public Engine {
 public:
  SessionEngine(const graph::Graph& graph, const plan::Target& target, int workers)
      : Engine(graph, "session (" + std::string(plan::isa_name(target.isa)) + ")", workers), plan_(plan::make_plan(graph, target)) {
    for (int i = 0; i < this->workers(); ++i) desks_.push_back(std::make_unique<Desk>(plan_));
  }

  void run(std::span<const std::byte> input, std::span<std::byte> output, int worker) override {
    Desk& desk = *desks_.at(static_cast<size_t>(worker));
    for (auto& tensor : desk.inputs) {
      std::memcpy(tensor.mutable_bytes().data(), input.data(), tensor.size_bytes());
      input = input.subspan(tensor.size_bytes());
    }
    desk.session.run(desk.from, desk.to);
    for (const auto& tensor : desk.outputs) {
      std::memcpy(output.data(), tensor.bytes().data(), tensor.size_bytes());
      output = output.subspan(tensor.size_bytes());
    }
  }

 private:
  plan::Plan plan_;
  std::vector<std::unique_ptr<Desk>> desks_;
};

}  // namespace

EnginePtr session_engine(const graph::Graph& graph, const plan::Target& target, int workers) {
  return std::make_unique<SessionEngine>(graph, target, workers);
}

}  // namespace kinglet::eval
