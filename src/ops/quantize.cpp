#include "ops/rules.h"

namespace kinglet::ops {

namespace {

/// The output's type is what the node was built with: a Quantize may go to int8 or uint8.
DType declared(const graph::Graph& graph, const graph::Node& node, DType fallback) {
  return node.outputs.empty() ? fallback : graph.value(node.outputs[0]).dtype;
}

std::vector<ValueType> infer_quantize(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const DType out = declared(graph, node, DType::s8);
  if (x.dtype != DType::f32 && x.dtype != DType::s8 && x.dtype != DType::u8) refuse(node, "takes float32, int8 or uint8");
  if (out != DType::s8 && out != DType::u8) refuse(node, "gives int8 or uint8");
  return {{out, x.shape}};
}

std::vector<ValueType> infer_dequantize(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  if (x.dtype != DType::s8 && x.dtype != DType::u8) refuse(node, "takes int8 or uint8");
  return {{DType::f32, x.shape}};
}

}  // namespace

extern const OpInfo kQuantizeInfo, kDequantizeInfo;
const OpInfo kQuantizeInfo{.infer = infer_quantize, .quant = {}};
const OpInfo kDequantizeInfo{.infer = infer_dequantize, .quant = {}};

}  // namespace kinglet::ops
