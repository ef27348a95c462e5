// Runs a Plan on this processor, one picture at a time. All memory is taken in the constructor; a Session is for one
// thread at a time, several may share a Plan.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace kinglet::runtime {

/// Called after each step with the bytes it wrote (valid during the call). Must not throw.
using Tap = std::function<void(int step, std::span<const std::byte> output)>;

class Session {
 public:
  /// Keeps a reference to `plan`. Throws Error when the plan needs instructions that this processor lacks.
  explicit Session(const plan::Plan& plan);
  explicit Session(plan::Plan&&) = delete;

  /// One pointer per input and output of the plan, to as many bytes as its Port says, aligned for its dtype and apart
  /// from each other. Cannot fail and allocates nothing.
  void run(std::span<const void* const> inputs, std::span<void* const> outputs) noexcept;
  /// For a plan of one input and one output.
  void run(const void* input, void* output) noexcept { run(std::span(&input, 1), std::span(&output, 1)); }

  void set_tap(Tap tap) { tap_ = std::move(tap); }
  const plan::Plan& plan() const { return plan_; }

 private:
  using Invoke = void (*)(const void* args, void* const* pointers);
  struct Call {
    Invoke invoke;
    const void* args;
    size_t first;  ///< of its pointers in pointers_
  };
  struct Patch {
    size_t pointer;  ///< in pointers_
    size_t port;
  };
  struct Free {
    void operator()(std::byte* p) const;
  };

  void bind(const plan::Step& step);

  const plan::Plan& plan_;
  std::unique_ptr<std::byte, Free> arena_;
  std::vector<Call> calls_;
  std::vector<void*> pointers_;
  std::vector<Patch> input_patches_, output_patches_;
  std::vector<size_t> output_pointer_;  ///< of each step
  Tap tap_;
};

}  // namespace kinglet::runtime
