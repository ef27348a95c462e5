// Ordered steps with everything they need: kernel, arguments, arena offsets, packed constants. Self-contained: the Graph
// may go away. The runtime executes it, codegen prints it. Model inputs and outputs stay in the caller's memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "ops/numerics.h"
#include "plan/kernel.h"

namespace kinglet::plan {

/// What the plan is made for. More fields come with the boards.
struct Target {
  std::string name = "portable";      ///< "portable" (generic kernels), "host" (best kernels of this CPU)
  int alignment_bytes = 16;           ///< of arena tensors
  ops::Numerics numerics = ops::Numerics::tflm;
  Isa isa = Isa::generic;             ///< kernels of this level and below are used
};

Target portable_target(ops::Numerics numerics = ops::Numerics::tflm);
/// This processor's best level, or the one that the environment variable KINGLET_FORCE_ISA names (generic, avx2,
/// avx512vnni); a value that is unknown or that this processor lacks is a usage Error.
Target host_target(ops::Numerics numerics = ops::Numerics::tflm);
/// The host with one level pinned; Error when this processor lacks it.
Target host_target(ops::Numerics numerics, Isa isa);

/// Where a kernel finds one of its pointers.
struct Operand {
  enum class Kind : uint8_t { arena, constant, input, output };
  Kind kind = Kind::arena;
  int64_t index = 0;  ///< offset in the arena in bytes, or index into Plan::constants, inputs or outputs
  bool operator==(const Operand&) const = default;
};

struct Step {
  Kernel kernel{};
  Args args;
  std::vector<Operand> operands;  ///< in the order of the kernel's parameters after the arguments; the output is last
  std::string node, origin;       ///< of the Graph's node, for messages and for the tap
  graph::ValueId value = graph::kNone;  ///< the Graph's value that the step makes; kNone: bytes that only a later step reads
  DType dtype = DType::f32;       ///< of the output
  Shape shape;
  int64_t output_bytes = 0;
  int64_t macs = 0;
};

struct Constant {
  std::string name;
  Tensor tensor;
};

/// A model input or output.
struct Port {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  graph::QuantParams quant;
  int64_t bytes() const { return shape.elements() * static_cast<int64_t>(dtype_bytes(dtype)); }
};

struct Plan {
  Target target;
  std::vector<Step> steps;
  std::vector<Constant> constants;
  int64_t arena_bytes = 0;
  int64_t arena_lower_bound_bytes = 0;  ///< largest sum of tensors and scratch alive in one step: no order of placement can do better
  std::vector<Port> inputs, outputs;

  int64_t macs() const;
  int64_t constant_bytes() const;
};

/// Chooses kernels, packs weights and places memory for one picture. Steps follow the Graph's order; Reshape costs
/// nothing. Throws Error naming the node for what cannot be planned: BatchNorm, Dropout, FakeQuantize (a pass removes
/// them), opaque operators, types without a kernel, tensors of 2^31 elements or more.
Plan make_plan(const graph::Graph& graph, const Target& target);

}  // namespace kinglet::plan
