#include "passes/passes.h"

#include "passes/rewrite.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::ValueId;

Node depthwise(Graph& graph, const Node& norm, const ChannelAffine& affine) {
  const int64_t channels = static_cast<int64_t>(affine.scale.size());
  Node node = norm;
  node.op = OpKind::DepthwiseConv2d;
  node.attrs = graph::DepthwiseConv2dAttrs{};
  const ValueId w = add_float_constant(graph, norm.name + "_scale", Shape{1, 1, 1, channels}, affine.scale);
  const ValueId b = add_float_constant(graph, norm.name + "_shift", Shape{channels}, affine.shift);
  node.inputs = {norm.inputs[0], w, b};
  return node;
}

/// Any other rank: x * scale, then + shift.
std::vector<Node> multiply_add(Graph& graph, const Node& norm, const ChannelAffine& affine) {
  const int64_t channels = static_cast<int64_t>(affine.scale.size());
  graph::Value middle = graph.value(norm.outputs[0]);
  middle.name = graph.unique_name(middle.name + "_scaled");
  const ValueId scaled = graph.add_value(middle);
  const ValueId w = add_float_constant(graph, norm.name + "_scale", Shape{channels}, affine.scale);
  const ValueId b = add_float_constant(graph, norm.name + "_shift", Shape{channels}, affine.shift);
  Node mul = norm, add = norm;
  mul.op = OpKind::Mul, mul.attrs = graph::ActivationAttrs{}, mul.inputs = {norm.inputs[0], w}, mul.outputs = {scaled};
  add.op = OpKind::Add, add.attrs = graph::ActivationAttrs{}, add.inputs = {scaled, b};
  mul.name += "_scale";
  return {mul, add};
}

}  // namespace

void lower_batch_norm(Graph& graph, PassLog& log) {
  std::vector<Node> nodes;
  for (graph::NodeIndex i = 0; i < graph.node_count(); ++i) {
    const Node node = graph.node(i);
    if (node.op != OpKind::BatchNorm) {
      nodes.push_back(node);
      continue;
    }
    const ChannelAffine affine = batch_norm_affine(graph, node);
    if (graph.value(node.inputs[0]).shape.rank() == 4) {
      nodes.push_back(depthwise(graph, node, affine));
    } else {
      for (Node& n : multiply_add(graph, node, affine)) nodes.push_back(std::move(n));
    }
    ++log.changes;
  }
  graph.nodes() = std::move(nodes);
  if (log.changes > 0) graph.remove_unused();
}

}  // namespace kinglet::passes
