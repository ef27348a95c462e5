#include "quantize/prepare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "ops/op_info.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::QuantParams;
using graph::ValueId;

class UnionFind {
 public:
  explicit UnionFind(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  size_t root(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(size_t a, size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<size_t> parent_;
};

void check_has_int8_form(const Graph& graph, const Node& node) {
  switch (node.op) {
    case OpKind::BatchNorm:
    case OpKind::Dropout: ops::refuse(node, "must be folded before quantization");
    case OpKind::FakeQuantize: ops::refuse(node, "holds the scales of quantization-aware training; convert them instead of calibrating");
    case OpKind::Quantize:
    case OpKind::Dequantize: ops::refuse(node, "shows that the model is quantized already", "dequantize it first");
    case OpKind::ArgMax: ops::refuse(node, "gives an index, which cannot be calibrated", "quantize the network up to its scores");
    case OpKind::Opaque: ops::refuse(node, "cannot be quantized: Kinglet does not know this operator");
    default: break;
  }
  for (ValueId v : node.outputs)
    if (graph.value(v).dtype != DType::f32) ops::refuse(node, "is not float32: the model is quantized already");
}

int activation_count(const Node& node) {
  const int n = ops::op_info(node.op).activation_inputs;
  return n < 0 ? static_cast<int>(node.inputs.size()) : std::min(n, static_cast<int>(node.inputs.size()));
}

/// Marks the values that become int8 and joins those that share a scale.
void join_activations(const Graph& graph, std::vector<bool>& active, UnionFind& sets) {
  for (ValueId v : graph.inputs) active[static_cast<size_t>(v)] = true;
  for (const Node& node : graph.nodes()) {
    check_has_int8_form(graph, node);
    const auto kind = ops::op_info(node.op).quant.kind;
    const auto out = static_cast<size_t>(node.outputs[0]);
    active[out] = true;
    for (int i = 0; i < activation_count(node); ++i) {
      const ValueId v = node.inputs[static_cast<size_t>(i)];
      if (v == kNone) continue;
      active[static_cast<size_t>(v)] = true;
      if (kind == ops::QuantKind::group || (kind == ops::QuantKind::same_as_input && i == 0)) sets.join(static_cast<size_t>(v), out);
    }
  }
}

void fix(Prepared& prepared, const Graph& graph, ValueId v, const QuantParams& params) {
  auto& slot = prepared.fixed[static_cast<size_t>(prepared.group[static_cast<size_t>(v)])];
  if (slot && !(*slot == params))
    throw Error("value '" + graph.value(v).name + "'", "would need two scales at once", "its operators share one scale but two of them have a scale of their own");
  slot = params;
}

}  // namespace

Prepared prepare(const Graph& graph, const graph::InputSpec& spec) {
  if (graph.inputs.size() != 1) throw Error("quantize", "the model has " + std::to_string(graph.inputs.size()) + " inputs", "only models with one picture input can be calibrated with pictures");
  const size_t n = graph.values().size();
  std::vector<bool> active(n, false);
  UnionFind sets(n);
  join_activations(graph, active, sets);

  Prepared prepared;
  prepared.group.assign(n, -1);
  std::vector<int> number(n, -1);
  for (size_t v = 0; v < n; ++v) {
    if (!active[v]) continue;
    int& id = number[sets.root(v)];
    if (id < 0) id = prepared.groups(), prepared.fixed.emplace_back();
    prepared.group[v] = id;
  }
  fix(prepared, graph, graph.inputs[0], contract_params(spec));
  for (const Node& node : graph.nodes()) {
    const auto& rule = ops::op_info(node.op).quant;
    if (rule.kind == ops::QuantKind::fixed) fix(prepared, graph, node.outputs[0], QuantParams::per_tensor(rule.scale, rule.zero_point));
  }
  return prepared;
}

QuantParams contract_params(const graph::InputSpec& spec) {
  Range range;
  for (int c = 0; c < spec.channels; ++c)
    for (const int byte : {0, 255}) {
      const double v = spec.real_value(static_cast<uint8_t>(byte), c);
      range = unite(range, {v, v});
    }
  return asymmetric_params(range);
}

QuantParams asymmetric_params(Range range) {
  range = unite(range, {0.0, 0.0});
  if (range.max - range.min < 1e-30) return QuantParams::per_tensor(1.0f / 255.0f, -128);
  const auto scale = static_cast<float>((range.max - range.min) / 255.0);
  const auto zero_point = static_cast<int32_t>(std::round(-128.0 - range.min / double{scale}));
  return QuantParams::per_tensor(scale, std::clamp(zero_point, -128, 127));
}

ops::FloatRange possible_range(const Node& node) {
  if (node.op == OpKind::Relu) return ops::activation_range(graph::Activation::relu);
  if (node.op == OpKind::HardSwish) return {-0.375f, std::numeric_limits<float>::infinity()};
  if (node.op == OpKind::Relu6) return ops::activation_range(graph::Activation::relu6);
  return ops::activation_range(ops::fused_activation(node));
}

}  // namespace kinglet::quantize
