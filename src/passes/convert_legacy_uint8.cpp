#include "passes/passes.h"

#include <algorithm>

#include "base/error.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Value;
using graph::ValueId;

/// Quantize and Dequantize read and write either kind of byte.
bool converts(const Node& node) { return node.op == OpKind::Quantize || node.op == OpKind::Dequantize; }

/// Works in uint8 itself, so that no kernel of ours runs it.
bool is_legacy(const Graph& graph, const Node& node) {
  if (converts(node) || node.op == OpKind::Opaque) return false;
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return v != graph::kNone && graph.value(v).dtype == DType::u8; });
}

/// The same real values 128 integers lower.
void make_s8(Value& value) {
  value.dtype = DType::s8;
  for (auto& zero : value.quant.zero_point) zero -= 128;
  if (!value.constant) return;
  Tensor moved(DType::s8, value.shape);
  const auto from = value.constant->data<uint8_t>();
  std::transform(from.begin(), from.end(), moved.mutable_data<int8_t>().begin(), [](uint8_t byte) { return static_cast<int8_t>(byte - 128); });
  value.constant = std::move(moved);
}

ValueId add_twin(Graph& graph, ValueId v) {
  Value twin = graph.value(v);
  twin.name = graph.unique_name(twin.name + "_int8");
  make_s8(twin);
  return graph.add_value(std::move(twin));
}

Node border(const Graph& graph, ValueId from, ValueId to) {
  Node node;
  node.op = OpKind::Quantize;
  node.attrs = graph::NoAttrs{};
  node.inputs = {from};
  node.outputs = {to};
  node.name = graph.value(to).name;
  return node;
}

class Converter {
 public:
  explicit Converter(Graph& graph) : graph_(graph), touched_(graph.values().size(), false) {}

  int run() {
    int changes = 0;
    for (Node& node : graph_.nodes()) {
      if (!is_legacy(graph_, node)) continue;
      node.rule = graph::NodeRule::legacy_u8;
      for (ValueId v : node.inputs) touch(v);
      for (ValueId v : node.outputs) touch(v);
      ++changes;
    }
    if (changes == 0) return 0;
    for (ValueId& v : graph_.inputs) make_input_border(v);
    for (ValueId& v : graph_.outputs) make_output_border(v);
    for (size_t v = 0; v < touched_.size(); ++v)
      if (touched_[v]) make_s8(graph_.value(static_cast<ValueId>(v)));
    return changes;
  }

 private:
  void touch(ValueId v) {
    if (v != graph::kNone && graph_.value(v).dtype == DType::u8) touched_[static_cast<size_t>(v)] = true;
  }
  bool is_touched(ValueId v) const { return static_cast<size_t>(v) < touched_.size() && touched_[static_cast<size_t>(v)]; }

  /// The input stays; legacy nodes read its twin.
  void make_input_border(ValueId v) {
    if (!is_touched(v)) return;
    const ValueId twin = add_twin(graph_, v);
    for (Node& node : graph_.nodes())
      if (node.rule == graph::NodeRule::legacy_u8) std::replace(node.inputs.begin(), node.inputs.end(), v, twin);
    graph_.nodes().insert(graph_.nodes().begin(), border(graph_, v, twin));
    touched_[static_cast<size_t>(v)] = false;
  }

  /// The output keeps its place and name; inside its twin takes over.
  void make_output_border(ValueId& v) {
    if (!is_touched(v) || graph_.value(v).is_constant()) return;
    const ValueId inner = v, outer = graph_.add_value(graph_.value(v));
    graph_.value(inner).name = graph_.unique_name(graph_.value(inner).name + "_int8");
    graph_.add_node(border(graph_, inner, outer));
    v = outer;
  }

  Graph& graph_;
  std::vector<bool> touched_;  ///< by value: uint8 that a legacy node reads or makes
};

}  // namespace

void convert_legacy_uint8(Graph& graph, PassLog& log) { log.changes = Converter(graph).run(); }

}  // namespace kinglet::passes
