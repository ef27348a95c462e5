#include "passes/passes.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Value;

bool all_zero(const std::vector<int>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](int n) { return n == 0; });
}

bool is_trivial_pool(const Node& node) {
  const auto& pool = node.as<graph::Pool2dAttrs>();
  const bool pads = pool.padding.mode == graph::PaddingMode::explicit_ &&
                    (pool.padding.top || pool.padding.bottom || pool.padding.left || pool.padding.right);
  return pool.kernel_h == 1 && pool.kernel_w == 1 && pool.stride_h == 1 && pool.stride_w == 1 && !pads &&
         pool.activation == graph::Activation::none;
}

bool gives_back_its_input(const Node& node) {
  switch (node.op) {
    case OpKind::Reshape:
    case OpKind::Quantize:
    case OpKind::Dequantize: return true;  // same type, shape and grid suffice
    case OpKind::Pad: return all_zero(node.as<graph::PadAttrs>().before) && all_zero(node.as<graph::PadAttrs>().after);
    case OpKind::AveragePool2d:
    case OpKind::MaxPool2d: return is_trivial_pool(node);
    default: return false;
  }
}

bool same_type(const Value& a, const Value& b) { return a.dtype == b.dtype && a.shape == b.shape && a.quant == b.quant; }

bool is_identity(const Graph& graph, const Node& node) {
  if (!gives_back_its_input(node) || !same_type(graph.value(node.inputs[0]), graph.value(node.outputs[0]))) return false;
  // A graph keeps one node between its input and its output.
  return !graph.is_output(node.outputs[0]) || graph.producers()[static_cast<size_t>(node.inputs[0])] != graph::kNone;
}

}  // namespace

void remove_identity(Graph& graph, PassLog& log) {
  for (graph::NodeIndex i = 0; i < graph.node_count();) {
    if (!is_identity(graph, graph.node(i))) {
      ++i;
      continue;
    }
    bypass(graph, i);
    ++log.changes;
  }
  graph.remove_unused();
}

}  // namespace kinglet::passes
