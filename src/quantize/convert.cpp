#include "quantize/convert.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/numerics.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::QuantParams;
using graph::Value;
using graph::ValueId;

constexpr double kLargestBias = 1 << 30;

bool has_weights(const Node& node) { return node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected; }

/// Axis of the output channel; -1 for one scale in all. `known` scales of a fully connected layer tell by their number.
int weight_axis(const Node& node, const ConvertOptions& options, const std::vector<float>* known) {
  if (node.op == OpKind::DepthwiseConv2d) return 3;
  if (node.op == OpKind::FullyConnected) return (known ? known->size() > 1 : options.per_channel_fc) ? 0 : -1;
  return 0;
}

/// Index of the scale of element i.
size_t channel_of(const Shape& shape, int axis, size_t i) {
  if (axis < 0) return 0;
  size_t inner = 1;
  for (int a = axis + 1; a < shape.rank(); ++a) inner *= static_cast<size_t>(shape[a]);
  return i / inner % static_cast<size_t>(shape[axis]);
}

std::vector<float> largest_by_channel(const Value& weights, int axis) {
  std::vector<float> largest(axis < 0 ? 1 : static_cast<size_t>(weights.shape[axis]), 0.0f);
  const auto data = weights.constant->data<float>();
  for (size_t i = 0; i < data.size(); ++i) {
    float& m = largest[channel_of(weights.shape, axis, i)];
    m = std::max(m, std::abs(data[i]));
  }
  return largest;
}

/// Largest weight / 127; raised where the bias would leave int32's comfortable half. A channel of zeros gets the mean of the rest.
std::vector<float> choose_scales(const Value& weights, const Value* bias, int axis, float input_scale) {
  std::vector<float> scales = largest_by_channel(weights, axis);
  float fallback = *std::max_element(scales.begin(), scales.end());
  if (fallback == 0.0f) fallback = 1.0f;
  for (float& s : scales) s = (s > 0.0f ? s : fallback) / 127.0f;
  if (!bias) return scales;
  const auto data = bias->constant->data<float>();
  for (size_t c = 0; c < data.size(); ++c) {
    float& s = scales[axis < 0 ? 0 : c];
    s = std::max(s, static_cast<float>(std::abs(double{data[c]}) / (double{input_scale} * kLargestBias)));
  }
  return scales;
}

Value quantized_weights(const Value& weights, const std::vector<float>& scales, int axis) {
  Value result = weights;
  result.dtype = DType::s8;
  result.trainable = false;
  result.quant = {scales, std::vector<int32_t>(scales.size(), 0), axis};
  Tensor tensor(DType::s8, weights.shape);
  const auto from = weights.constant->data<float>();
  auto to = tensor.mutable_data<int8_t>();
  for (size_t i = 0; i < from.size(); ++i) {
    const int32_t q = ops::quantize_value(from[i], scales[channel_of(weights.shape, axis, i)], 0, DType::s8);
    to[i] = static_cast<int8_t>(std::max(q, -127));
  }
  result.constant = std::move(tensor);
  return result;
}

Value quantized_bias(const Value& bias, float input_scale, const std::vector<float>& weight_scales) {
  Value result = bias;
  result.dtype = DType::s32;
  result.trainable = false;
  result.quant = {{}, std::vector<int32_t>(weight_scales.size(), 0), weight_scales.size() > 1 ? 0 : -1};
  for (float s : weight_scales) result.quant.scale.push_back(input_scale * s);
  Tensor tensor(DType::s32, bias.shape);
  const auto from = bias.constant->data<float>();
  auto to = tensor.mutable_data<int32_t>();
  for (size_t c = 0; c < from.size(); ++c) {
    const double step = double{input_scale} * double{weight_scales[weight_scales.size() > 1 ? c : 0]};
    to[c] = static_cast<int32_t>(std::clamp(std::round(double{from[c]} / step), -2.0 * kLargestBias, 2.0 * kLargestBias - 1));
  }
  result.constant = std::move(tensor);
  return result;
}

/// Puts `value` in the place of `old` where `node` is its only reader, else beside it.
ValueId store(Graph& graph, ValueId old, bool shared, Value value) {
  if (!shared) {
    graph.value(old) = std::move(value);
    return old;
  }
  value.name = graph.unique_name(value.name);
  return graph.add_value(std::move(value));
}

Value quantized_constant(const Value& value, const QuantParams& params) {
  Value result = value;
  Tensor tensor(DType::s8, value.shape);
  const auto from = value.constant->data<float>();
  auto to = tensor.mutable_data<int8_t>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = static_cast<int8_t>(ops::quantize_value(from[i], params.scale[0], params.zero_point[0], DType::s8));
  result.constant = std::move(tensor);
  return result;
}

void convert_parameters(Graph& result, const Graph& graph, const std::vector<std::vector<graph::NodeIndex>>& users, graph::NodeIndex index,
                        const std::vector<QuantParams>& params, const ConvertOptions& options) {
  const Node& node = graph.node(index);
  const float input_scale = params[static_cast<size_t>(node.inputs[0])].scale.at(0);
  const ValueId w = node.inputs[1], b = node.inputs.size() > 2 ? node.inputs[2] : kNone;
  if (!graph.value(w).is_constant() || (b != kNone && !graph.value(b).is_constant()))
    throw Error(graph::describe(node), "has weights that are not constant and cannot be quantized");
  const auto found = options.weight_scales.find(w);
  const std::vector<float>* known = found == options.weight_scales.end() ? nullptr : &found->second;
  const int axis = weight_axis(node, options, known);
  const std::vector<float> scales = known ? *known : choose_scales(graph.value(w), b == kNone ? nullptr : &graph.value(b), axis, input_scale);
  auto shared = [&](ValueId v) { return users[static_cast<size_t>(v)].size() > 1; };
  result.node(index).inputs[1] = store(result, w, shared(w), quantized_weights(graph.value(w), scales, axis));
  if (b != kNone) result.node(index).inputs[2] = store(result, b, shared(b), quantized_bias(graph.value(b), input_scale, scales));
}

}  // namespace

Graph convert(const Graph& graph, const std::vector<QuantParams>& params, const ConvertOptions& options) {
  KINGLET_CHECK(params.size() == graph.values().size());
  Graph result = graph;
  for (size_t v = 0; v < params.size(); ++v) {
    if (params[v].empty()) continue;
    Value& value = result.value(static_cast<ValueId>(v));
    if (value.is_constant()) value = quantized_constant(value, params[v]);
    value.dtype = DType::s8;
    value.quant = params[v];
    value.trainable = false;
  }
  const auto users = graph.users();
  for (graph::NodeIndex i = 0; i < graph.node_count(); ++i)
    if (has_weights(graph.node(i))) convert_parameters(result, graph, users, i, params, options);
  return result;
}

namespace {

/// The border's own side of an int8 value.
Value border_value(Value inner, Io io) {
  inner.dtype = io == Io::float32 ? DType::f32 : DType::u8;
  if (io == Io::float32) inner.quant = {};
  else inner.quant.zero_point[0] += 128;
  return inner;
}

Node border_node(OpKind op, ValueId from, ValueId to, const std::string& name) {
  Node node;
  node.op = op;
  node.attrs = graph::NoAttrs{};
  node.inputs = {from};
  node.outputs = {to};
  node.name = name;
  return node;
}

}  // namespace

void add_borders(Graph& graph, Io io) {
  if (io == Io::int8) return;
  for (ValueId& input : graph.inputs) {
    Value outer = border_value(graph.value(input), io);
    graph.value(input).name = graph.unique_name(outer.name + "_int8");
    const ValueId inner = input;
    input = graph.add_value(std::move(outer));
    graph.nodes().insert(graph.nodes().begin(), border_node(OpKind::Quantize, input, inner, "quantize_input"));
  }
  for (ValueId& output : graph.outputs) {
    Value outer = border_value(graph.value(output), io);
    graph.value(output).name = graph.unique_name(outer.name + "_int8");
    const ValueId inner = output;
    output = graph.add_value(std::move(outer));
    graph.add_node(border_node(io == Io::float32 ? OpKind::Dequantize : OpKind::Quantize, inner, output, graph.value(output).name));
  }
}

}  // namespace kinglet::quantize
