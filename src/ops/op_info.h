// What each operator means to the rest of the tool: arity, type rule, cost and quantization rule. One file an operator
// defines its `const OpInfo k<Kind>Info`; op_info() finds it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace kinglet::ops {

struct ValueType {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const ValueType&) const = default;
};

/// Where the output's int8 scale and zero point come from.
/// free: observed range. fixed: given here. same_as_input: shares with input 0. group: shares with all activation inputs.
/// none: the output is an index and has no scale.
enum class QuantKind : uint8_t { free, fixed, same_as_input, group, none };

struct QuantRule {
  QuantKind kind = QuantKind::free;
  float scale = 0.0f;       ///< fixed only
  int32_t zero_point = 0;   ///< fixed only
};

struct OpInfo {
  int min_inputs = 1, max_inputs = 1;
  int activation_inputs = 1;  ///< how many leading inputs are activations (the rest are parameters); -1: all of them
  /// Types of the outputs; throws Error(describe(node), ...) when the inputs or attributes are not acceptable.
  std::vector<ValueType> (*infer)(const graph::Graph&, const graph::Node&) = nullptr;
  /// Multiply-accumulates for one picture; nullptr is 0.
  int64_t (*macs)(const graph::Graph&, const graph::Node&) = nullptr;
  QuantRule quant;
};

const OpInfo& op_info(graph::OpKind op);

/// Throws Error naming the node; the way every operator's rule refuses.
[[noreturn]] void refuse(const graph::Node& node, const std::string& what, const std::string& hint = {});

/// For operators that move values as they are: refuses a node whose inputs and output do not share one scale and zero point.
void check_same_grid(const graph::Graph& graph, const graph::Node& node);

/// The fused activation of a node, none if its operator has no such attribute.
graph::Activation fused_activation(const graph::Node& node);
void set_fused_activation(graph::Node& node, graph::Activation activation);

}  // namespace kinglet::ops
