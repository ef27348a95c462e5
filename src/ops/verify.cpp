#include "ops/verify.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/verify.h"
#include "ops/op_info.h"
#include "ops/rules.h"

namespace kinglet::ops {

const graph::Value& input_value(const graph::Graph& graph, const graph::Node& node, int index) {
  if (static_cast<size_t>(index) >= node.inputs.size() || node.inputs[static_cast<size_t>(index)] == graph::kNone) refuse(node, fmt::format("lacks input {}", index));
  return graph.value(node.inputs[static_cast<size_t>(index)]);
}

const graph::Value* optional_input(const graph::Graph& graph, const graph::Node& node, int index) {
  if (static_cast<size_t>(index) >= node.inputs.size() || node.inputs[static_cast<size_t>(index)] == graph::kNone) return nullptr;
  return &graph.value(node.inputs[static_cast<size_t>(index)]);
}

const graph::Value& input_of_rank(const graph::Graph& graph, const graph::Node& node, int index, int rank) {
  const auto& value = input_value(graph, node, index);
  if (value.shape.rank() != rank) refuse(node, fmt::format("input {} ('{}') is {} where rank {} was expected", index, value.name, value.shape.str(), rank));
  return value;
}

void check_weights(const graph::Graph& graph, const graph::Node& node, int64_t channels) {
  const auto& x = input_value(graph, node, 0);
  const auto& w = input_value(graph, node, 1);
  if (x.dtype != w.dtype) refuse(node, fmt::format("has {} weights for a {} input", dtype_name(w.dtype), dtype_name(x.dtype)));
  const auto* bias = optional_input(graph, node, 2);
  if (!bias) return;
  if (bias->shape.elements() != channels) refuse(node, fmt::format("has a bias of {} for {} channels", bias->shape.str(), channels));
  const DType expected = x.dtype == DType::f32 ? DType::f32 : DType::s32;
  if (bias->dtype != expected) refuse(node, fmt::format("has a {} bias where {} was expected", dtype_name(bias->dtype), dtype_name(expected)));
}

std::vector<ValueType> same_type(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  return {{x.dtype, x.shape}};
}

namespace {

void check_arity(const graph::Node& node) {
  const auto& info = op_info(node.op);
  const auto n = static_cast<int>(node.inputs.size());
  if (n < info.min_inputs || n > info.max_inputs) refuse(node, fmt::format("has {} inputs where {} to {} are possible", n, info.min_inputs, info.max_inputs));
  if (node.op != graph::OpKind::Opaque && node.outputs.size() != 1) refuse(node, "must have one output");
}

}  // namespace

void verify(const graph::Graph& graph, const std::string& where) {
  graph::verify_structure(graph, where);
  for (const auto& node : graph.nodes()) {
    check_arity(node);
    const auto types = op_info(node.op).infer(graph, node);
    for (size_t i = 0; i < types.size(); ++i) {
      const auto& value = graph.value(node.outputs[i]);
      if (value.dtype != types[i].dtype || !(value.shape == types[i].shape))
        refuse(node, fmt::format("output '{}' is declared {} {} but must be {} {}", value.name, value.shape.str(), dtype_name(value.dtype), types[i].shape.str(), dtype_name(types[i].dtype)));
    }
  }
}

void infer_types(graph::Graph& graph) {
  for (const auto& node : graph.nodes()) {
    check_arity(node);
    const auto types = op_info(node.op).infer(graph, node);
    for (size_t i = 0; i < types.size(); ++i) {
      auto& value = graph.value(node.outputs[i]);
      value.dtype = types[i].dtype;
      value.shape = types[i].shape;
    }
  }
}

}  // namespace kinglet::ops
