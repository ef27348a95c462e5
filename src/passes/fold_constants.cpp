#include "passes/passes.h"

#include <optional>

#include "ops/numerics.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Value;

/// Index into per-channel parameters of element i.
size_t channel_of(const Value& value, int64_t i) {
  if (!value.quant.per_channel()) return 0;
  int64_t inner = 1;
  for (int axis = value.quant.axis + 1; axis < value.shape.rank(); ++axis) inner *= value.shape[axis];
  return static_cast<size_t>(i / inner % value.shape[value.quant.axis]);
}

template <class T>
Tensor dequantized(const Value& x) {
  Tensor result(DType::f32, x.shape);
  const auto in = x.constant->data<T>();
  auto out = result.mutable_data<float>();
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t c = channel_of(x, static_cast<int64_t>(i));
    out[i] = x.quant.scale[c] * static_cast<float>(static_cast<int64_t>(in[i]) - x.quant.zero_point[c]);
  }
  return result;
}

template <class T>
Tensor quantized(const Value& x, const Value& y) {
  Tensor result(y.dtype, y.shape);
  const auto in = x.constant->data<float>();
  auto out = result.mutable_data<T>();
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t c = channel_of(y, static_cast<int64_t>(i));
    out[i] = static_cast<T>(ops::quantize_value(in[i], y.quant.scale[c], y.quant.zero_point[c], y.dtype));
  }
  return result;
}

std::optional<Tensor> evaluate(const Graph& graph, const Node& node) {
  const Value& x = graph.value(node.inputs[0]);
  const Value& y = graph.value(node.outputs[0]);
  if (!x.is_constant()) return std::nullopt;
  if (node.op == OpKind::Reshape) return x.constant->reshaped(y.shape);
  if (node.op == OpKind::Dequantize && x.dtype == DType::s8) return dequantized<int8_t>(x);
  if (node.op == OpKind::Dequantize && x.dtype == DType::u8) return dequantized<uint8_t>(x);
  if (node.op == OpKind::Quantize && x.dtype == DType::f32 && y.dtype == DType::s8) return quantized<int8_t>(x, y);
  if (node.op == OpKind::Quantize && x.dtype == DType::f32 && y.dtype == DType::u8) return quantized<uint8_t>(x, y);
  return std::nullopt;
}

}  // namespace

void fold_constants(Graph& graph, PassLog& log) {
  std::vector<bool> folded(static_cast<size_t>(graph.node_count()), false);
  for (graph::NodeIndex i = 0; i < graph.node_count(); ++i) {
    auto tensor = evaluate(graph, graph.node(i));
    if (!tensor) continue;
    graph.value(graph.node(i).outputs[0]).constant = std::move(*tensor);
    folded[static_cast<size_t>(i)] = true;
    ++log.changes;
  }
  size_t index = 0;
  graph.erase_nodes([&](const Node&) { return folded[index++]; });
  graph.remove_unused();
}

}  // namespace kinglet::passes
