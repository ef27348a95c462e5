#include "passes/passes.h"

#include "passes/rewrite.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::Padding;
using graph::PaddingMode;

Padding* padding_of(Node& node) {
  if (node.op == OpKind::Conv2d) return &node.as<graph::Conv2dAttrs>().padding;
  if (node.op == OpKind::DepthwiseConv2d) return &node.as<graph::DepthwiseConv2dAttrs>().padding;
  return nullptr;
}

bool pads_rows_and_columns_only(const graph::PadAttrs& pad) {
  return pad.before.size() == 4 && pad.before[0] == 0 && pad.after[0] == 0 && pad.before[3] == 0 && pad.after[3] == 0;
}

Padding joined(const graph::PadAttrs& pad, const Padding& conv) {
  Padding sum{PaddingMode::explicit_, pad.before[1], pad.after[1], pad.before[2], pad.after[2]};
  if (conv.mode == PaddingMode::explicit_) sum.top += conv.top, sum.bottom += conv.bottom, sum.left += conv.left, sum.right += conv.right;
  return sum;
}

bool fuse_at(Graph& graph, NodeIndex i) {
  if (graph.node(i).op != OpKind::Pad) return false;
  const graph::ValueId x = graph.node(i).inputs[0], y = graph.node(i).outputs[0];
  // Padding and convolution must mean the same number by zero, so integers must keep scale and zero point.
  const auto users = graph.users();
  if (!has_single_user(graph, users, y) || !(graph.value(x).quant == graph.value(y).quant)) return false;
  Node& conv = graph.node(users[static_cast<size_t>(y)][0]);
  Padding* padding = padding_of(conv);
  const auto& pad = graph.node(i).as<graph::PadAttrs>();
  if (!padding || padding->mode == PaddingMode::same || conv.inputs[0] != y || !pads_rows_and_columns_only(pad)) return false;
  *padding = joined(pad, *padding);
  bypass(graph, i);
  return true;
}

}  // namespace

void fuse_pad(Graph& graph, PassLog& log) {
  for (NodeIndex i = 0; i < graph.node_count();) {
    if (fuse_at(graph, i)) ++log.changes;
    else ++i;
  }
  graph.remove_unused();
}

}  // namespace kinglet::passes
