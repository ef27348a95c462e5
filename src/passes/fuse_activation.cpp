#include "passes/passes.h"

#include <optional>

#include "ops/op_info.h"
#include "passes/rewrite.h"

namespace kinglet::passes {

namespace {

using graph::Activation;
using graph::Graph;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;

std::optional<Activation> activation_of(OpKind op) {
  if (op == OpKind::Relu) return Activation::relu;
  if (op == OpKind::Relu6) return Activation::relu6;
  return std::nullopt;
}

bool can_carry(const Node& node) {
  switch (node.op) {
    case OpKind::Conv2d:
    case OpKind::DepthwiseConv2d:
    case OpKind::FullyConnected:
    case OpKind::Add:
    case OpKind::Mul:
    case OpKind::AveragePool2d:
    case OpKind::MaxPool2d: return true;
    default: return false;
  }
}

/// Of `first` and then `then`: relu6 wins over relu.
Activation combine(Activation first, Activation then) { return first == Activation::relu6 ? first : then; }

bool fuse_at(Graph& graph, NodeIndex i) {
  const auto activation = activation_of(graph.node(i).op);
  if (!activation) return false;
  const graph::ValueId x = graph.node(i).inputs[0];
  const NodeIndex p = graph.producers()[static_cast<size_t>(x)];
  if (p == graph::kNone || graph.value(x).dtype != DType::f32 || !can_carry(graph.node(p))) return false;
  if (!has_single_user(graph, graph.users(), x)) return false;
  ops::set_fused_activation(graph.node(p), combine(ops::fused_activation(graph.node(p)), *activation));
  bypass(graph, i);
  return true;
}

}  // namespace

void fuse_activation(Graph& graph, PassLog& log) {
  for (NodeIndex i = 0; i < graph.node_count();) {
    if (fuse_at(graph, i)) ++log.changes;
    else ++i;
  }
  graph.remove_unused();
}

}  // namespace kinglet::passes
