#include "formats/tflite/legacy.h"

#include <algorithm>

#include "ops/op_info.h"

namespace kinglet::formats::tflite {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::Value;
using graph::ValueId;

bool is_legacy(const Node& node) { return node.rule == graph::NodeRule::legacy_u8; }

void make_u8(Value& value) {
  value.dtype = DType::u8;
  for (auto& zero : value.quant.zero_point) zero += 128;
  if (!value.constant) return;
  Tensor moved(DType::u8, value.shape);
  const auto from = value.constant->data<int8_t>();
  std::transform(from.begin(), from.end(), moved.mutable_data<uint8_t>().begin(), [](int8_t byte) { return static_cast<uint8_t>(byte + 128); });
  value.constant = std::move(moved);
}

/// By value: int8 that a legacy node reads or makes.
std::vector<bool> legacy_values(const Graph& graph) {
  std::vector<bool> touched(graph.values().size(), false);
  const auto touch = [&](ValueId v) {
    if (v != kNone && graph.value(v).dtype == DType::s8) touched[static_cast<size_t>(v)] = true;
  };
  for (const Node& node : graph.nodes()) {
    if (!is_legacy(node)) continue;
    std::for_each(node.inputs.begin(), node.inputs.end(), touch);
    std::for_each(node.outputs.begin(), node.outputs.end(), touch);
  }
  return touched;
}

void check_borders(const Graph& graph, const std::vector<bool>& touched) {
  const auto is_touched = [&](ValueId v) { return v != kNone && touched[static_cast<size_t>(v)]; };
  for (const Node& node : graph.nodes()) {
    if (is_legacy(node) || node.op == OpKind::Quantize || node.op == OpKind::Dequantize) continue;
    if (std::any_of(node.inputs.begin(), node.inputs.end(), is_touched) || std::any_of(node.outputs.begin(), node.outputs.end(), is_touched))
      ops::refuse(node, "works in int8 on values of an older uint8 model, which a TensorFlow Lite file cannot say", "put a quantize between them");
  }
}

bool is_identity(const Graph& graph, const Node& node) {
  if (node.op != OpKind::Quantize) return false;
  const Value &x = graph.value(node.inputs[0]), &y = graph.value(node.outputs[0]);
  return x.dtype == DType::u8 && y.dtype == DType::u8 && x.quant == y.quant;
}

/// Quantize nodes that change nothing any more. One between the graph's input and its output stays.
void remove_borders(Graph& graph) {
  for (graph::NodeIndex i = 0; i < graph.node_count();) {
    const Node& node = graph.node(i);
    const ValueId x = node.inputs.empty() ? kNone : node.inputs[0], y = node.outputs[0];
    const bool bridge = graph.is_output(y) && (x == kNone || std::count(graph.inputs.begin(), graph.inputs.end(), x) || graph.is_output(x));
    if (!is_identity(graph, node) || bridge) {
      ++i;
      continue;
    }
    if (graph.is_output(y)) std::swap(graph.value(x).name, graph.value(y).name);
    graph.replace_uses(y, x);
    graph.nodes().erase(graph.nodes().begin() + i);
  }
}

}  // namespace

bool has_legacy_nodes(const Graph& graph) { return std::any_of(graph.nodes().begin(), graph.nodes().end(), is_legacy); }

Graph restore_legacy_uint8(Graph graph) {
  const auto touched = legacy_values(graph);
  check_borders(graph, touched);
  for (size_t v = 0; v < touched.size(); ++v)
    if (touched[v]) make_u8(graph.value(static_cast<ValueId>(v)));
  for (Node& node : graph.nodes()) node.rule = graph::NodeRule::model;
  remove_borders(graph);
  graph.remove_unused();
  return graph;
}

}  // namespace kinglet::formats::tflite
