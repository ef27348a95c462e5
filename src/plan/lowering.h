// The state of make_plan: which buffer holds which value, and the steps so far. One lower_* function an operator.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "plan/memory.h"
#include "plan/plan.h"

namespace kinglet::plan {

class Lowering {
 public:
  Lowering(const graph::Graph& graph, const Target& target);

  /// Plans every node, then binds outputs and places memory.
  Plan finish();

  const graph::Graph& graph() const { return graph_; }
  const Target& target() const { return plan_.target; }
  bool has(Isa isa) const { return plan_.target.isa >= isa; }

  Operand read(graph::ValueId value);
  Operand constant(const std::string& name, Tensor tensor);
  /// Arena memory of the step being lowered alone.
  Operand scratch(const graph::Node& node, int64_t bytes);
  /// The buffer of a node's output. It may be that of one of `in_place` (inputs as large as the output that the kernel
  /// reads no later than it writes) when this is its last reader.
  Operand write(const graph::Node& node, std::span<const graph::ValueId> in_place = {});
  /// The output takes over its input's buffer and no step is made.
  void alias(const graph::Node& node);
  /// Operands in the kernel's order; the last is the output.
  void emit(const graph::Node& node, Kernel kernel, const Args& args, std::vector<Operand> operands);
  /// A step whose output is scratch of `bytes`: it makes no value of the Graph.
  void emit_part(const graph::Node& node, Kernel kernel, const Args& args, std::vector<Operand> operands, int64_t bytes);

 private:
  /// A set of values that share bytes. Arena operands hold an index into this list until memory is placed.
  struct Storage {
    Operand::Kind kind = Operand::Kind::arena;
    int64_t index = 0;
    Buffer buffer{0, -1, -1, 0};
    int readers = 0;  ///< of its values, still to come; being a graph output counts for ever
  };

  void lower(const graph::Node& node);
  void release_inputs(const graph::Node& node);
  int new_storage(Operand::Kind kind, int64_t index, int64_t bytes, int readers);
  Operand operand(int storage) const;
  void bind_outputs();
  void place();

  const graph::Graph& graph_;
  Plan plan_;
  std::vector<Storage> storages_;
  std::vector<int> storage_of_;  ///< by value; -1 until made
  std::vector<int> readers_of_;  ///< by value
  std::map<graph::ValueId, int64_t> constant_of_;
};

void lower_conv2d(Lowering& lowering, const graph::Node& node);
void lower_depthwise_conv2d(Lowering& lowering, const graph::Node& node);
void lower_fully_connected(Lowering& lowering, const graph::Node& node);
void lower_add(Lowering& lowering, const graph::Node& node);
void lower_mul(Lowering& lowering, const graph::Node& node);
void lower_pool2d(Lowering& lowering, const graph::Node& node);
void lower_mean(Lowering& lowering, const graph::Node& node);
void lower_pad(Lowering& lowering, const graph::Node& node);
void lower_softmax(Lowering& lowering, const graph::Node& node);
void lower_logistic(Lowering& lowering, const graph::Node& node);
void lower_relu(Lowering& lowering, const graph::Node& node);  ///< Relu and Relu6
void lower_hard_swish(Lowering& lowering, const graph::Node& node);
void lower_transpose(Lowering& lowering, const graph::Node& node);
void lower_concatenation(Lowering& lowering, const graph::Node& node);
void lower_strided_slice(Lowering& lowering, const graph::Node& node);
void lower_resize_nearest(Lowering& lowering, const graph::Node& node);
void lower_arg_max(Lowering& lowering, const graph::Node& node);
void lower_quantize(Lowering& lowering, const graph::Node& node);
void lower_dequantize(Lowering& lowering, const graph::Node& node);

/// What lower_* functions ask of a node.
const graph::Value& input_value(const Lowering& lowering, const graph::Node& node, size_t index);
const graph::Value& output_value(const Lowering& lowering, const graph::Node& node);
/// true for float32, false for int8; refuses other types.
bool is_float(const Lowering& lowering, const graph::Node& node);
/// Scale and zero point of a value that is quantized per tensor; refuses others.
struct Grid {
  float scale;
  int32_t zero;
};
Grid grid(const graph::Node& node, const graph::Value& value);
/// The tensor of a parameter; refuses one that is not a constant.
const Tensor& parameter(const Lowering& lowering, const graph::Node& node, size_t index);
/// n as the kernels' int32; refuses 2^31 and more.
int32_t to_int32(const graph::Node& node, int64_t n);
/// Clamp of the fused activation in floats, the largest finite numbers standing for none.
ops::FloatRange float_range(const graph::Node& node);
ops::FloatRange finite(ops::FloatRange range);
ops::ClampRange integer_range(const Lowering& lowering, const graph::Node& node);

}  // namespace kinglet::plan
