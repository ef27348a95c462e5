#include "quantize/dequantize.h"

#include <algorithm>

#include "base/error.h"
#include "ops/numerics.h"
#include "ops/verify.h"
#include "passes/passes.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::Value;

template <class T>
void dequantize_into(const Tensor& tensor, const graph::QuantParams& quant, std::span<float> out) {
  const auto in = tensor.data<T>();
  int64_t inner = 1;
  for (int axis = quant.axis + 1; quant.per_channel() && axis < tensor.shape().rank(); ++axis) inner *= tensor.shape()[axis];
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t c = quant.per_channel() ? i / static_cast<size_t>(inner) % quant.scale.size() : 0;
    out[i] = static_cast<float>(double{quant.scale[c]} * static_cast<double>(static_cast<int64_t>(in[i]) - quant.zero_point[c]));
  }
}

/// The bias of a node whose file gives it no scale: input scale x weight scale, as the specification has it.
graph::QuantParams bias_params(const Graph& graph, const Node& node) {
  const Value& bias = graph.value(node.inputs[2]);
  if (!bias.quant.empty()) return bias.quant;
  const auto& x = graph.value(node.inputs[0]).quant;
  const auto& w = graph.value(node.inputs[1]).quant;
  if (x.empty() || w.empty()) throw Error(graph::describe(node), "has an integer bias but no scales", "the file lacks quantization parameters");
  graph::QuantParams params{{}, std::vector<int32_t>(w.scale.size(), 0), w.per_channel() ? 0 : -1};
  for (float s : w.scale) params.scale.push_back(s * x.scale[0]);
  return params;
}

void name_bias_scales(Graph& graph) {
  for (const Node& node : graph.nodes()) {
    const bool weighted = node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected;
    if (!weighted || node.inputs.size() < 3 || node.inputs[2] == kNone || graph.value(node.inputs[2]).dtype != DType::s32) continue;
    graph.value(node.inputs[2]).quant = bias_params(graph, node);
  }
}

void make_float(Value& value) {
  if (value.dtype == DType::f32) return;
  if (value.quant.empty()) throw Error("value '" + value.name + "'", "is " + std::string(dtype_name(value.dtype)) + " without a scale and cannot be dequantized");
  if (value.constant) value.constant = dequantize_tensor(*value.constant, value.quant);
  value.dtype = DType::f32;
  value.quant = {};
  value.trainable = value.is_constant();
}

}  // namespace

Tensor dequantize_tensor(const Tensor& tensor, const graph::QuantParams& quant) {
  Tensor result(DType::f32, tensor.shape());
  switch (tensor.dtype()) {
    case DType::s8: dequantize_into<int8_t>(tensor, quant, result.mutable_data<float>()); break;
    case DType::u8: dequantize_into<uint8_t>(tensor, quant, result.mutable_data<float>()); break;
    case DType::s16: dequantize_into<int16_t>(tensor, quant, result.mutable_data<float>()); break;
    case DType::s32: dequantize_into<int32_t>(tensor, quant, result.mutable_data<float>()); break;
    default: throw Error("dequantize", std::string(dtype_name(tensor.dtype())) + " cannot be dequantized");
  }
  return result;
}

Tensor quantize_tensor(const Tensor& tensor, const graph::QuantParams& quant) {
  Tensor result(DType::s8, tensor.shape());
  const auto in = tensor.data<float>();
  auto out = result.mutable_data<int8_t>();
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<int8_t>(ops::quantize_value(in[i], quant.scale[0], quant.zero_point[0], DType::s8));
  return result;
}

graph::Model dequantize_model(const graph::Model& model) {
  graph::Model result = model;
  Graph& graph = result.graph;
  graph.remove_unused();
  const bool quantized = std::any_of(graph.values().begin(), graph.values().end(), [](const Value& v) { return !v.quant.empty(); });
  if (!quantized) throw Error(model.name.empty() ? "model" : model.name, "is not quantized");
  name_bias_scales(graph);
  for (graph::ValueId v = 0; v < graph.value_count(); ++v) make_float(graph.value(v));
  for (Node& node : graph.nodes()) {
    node.rule = graph::NodeRule::model;
    // Float to float: an identity that remove_identity takes out.
    if (node.op == OpKind::Quantize || node.op == OpKind::Dequantize) node.op = OpKind::Dropout, node.attrs = graph::DropoutAttrs{0.0f};
  }
  passes::PassLog log;
  passes::remove_dropout(graph, log);
  ops::verify(graph, "dequantized model");
  result.provenance["dequantized"] = true;
  return result;
}

}  // namespace kinglet::quantize
