#include "passes/passes.h"

#include "ops/op_info.h"
#include "passes/rewrite.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::ValueId;

/// Conv2d (OHWI) and FullyConnected (OI) have the output channel first, DepthwiseConv2d (1HWC) last.
bool has_output_channel_last(OpKind op) { return op == OpKind::DepthwiseConv2d; }

bool can_take(const Graph& graph, const Node& node) {
  const bool kind = node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected;
  if (!kind || ops::fused_activation(node) != graph::Activation::none || !is_float_constant(graph, node.inputs[1])) return false;
  return node.inputs.size() < 3 || node.inputs[2] == kNone || is_float_constant(graph, node.inputs[2]);
}

void scale_weights(Graph& graph, Node& node, const ChannelAffine& affine) {
  const graph::Value& old = graph.value(node.inputs[1]);
  std::vector<double> weights = constant_as_double(graph, node.inputs[1]);
  const size_t channels = affine.scale.size(), per_channel = weights.size() / channels;
  const bool last = has_output_channel_last(node.op);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] *= affine.scale[last ? i % channels : i / per_channel];
  const std::string name = old.name + "_folded";
  const Shape shape = old.shape;
  node.inputs[1] = add_float_constant(graph, name, shape, weights);
}

void move_bias(Graph& graph, Node& node, const ChannelAffine& affine) {
  node.inputs.resize(3, kNone);
  std::vector<double> bias = affine.shift;
  if (node.inputs[2] != kNone) {
    const std::vector<double> old = constant_as_double(graph, node.inputs[2]);
    for (size_t c = 0; c < bias.size(); ++c) bias[c] += old[c] * affine.scale[c];
  }
  const std::string name = node.inputs[2] == kNone ? node.name + "_bias" : graph.value(node.inputs[2]).name + "_folded";
  node.inputs[2] = add_float_constant(graph, name, Shape{static_cast<int64_t>(bias.size())}, bias);
}

bool fold_at(Graph& graph, NodeIndex i) {
  if (graph.node(i).op != OpKind::BatchNorm) return false;
  const ValueId x = graph.node(i).inputs[0];
  const NodeIndex p = graph.producers()[static_cast<size_t>(x)];
  if (p == kNone || !has_single_user(graph, graph.users(), x) || !can_take(graph, graph.node(p))) return false;
  const ChannelAffine affine = batch_norm_affine(graph, graph.node(i));
  Node target = graph.node(p);  // a copy, as new constants may move the values
  scale_weights(graph, target, affine);
  move_bias(graph, target, affine);
  graph.node(p) = std::move(target);
  bypass(graph, i);
  return true;
}

}  // namespace

void fold_batch_norm(Graph& graph, PassLog& log) {
  for (NodeIndex i = 0; i < graph.node_count();) {
    if (fold_at(graph, i)) ++log.changes;
    else ++i;
  }
  graph.remove_unused();
}

}  // namespace kinglet::passes
