#include <algorithm>

#include "formats/onnx/exporter.h"
#include "ops/geometry.h"

namespace kinglet::formats::onnx {

using graph::OpKind;

void Exporter::add_conv(const Node& node, const std::string& to) {
  const bool depthwise = node.op == OpKind::DepthwiseConv2d;
  std::vector<std::string> inputs{activation(node.inputs[0]), weights(node, depthwise ? Order{3, 0, 1, 2} : kNchw)};
  if (has_bias(node)) inputs.push_back(bias(node));
  const ops::Window w = ops::node_window(graph_, node);
  auto& conv = writer_.node("Conv", inputs, to);
  set_integers(conv, "kernel_shape", {w.kernel_h, w.kernel_w});
  set_integers(conv, "strides", {w.stride_h, w.stride_w});
  set_integers(conv, "dilations", {w.dilation_h, w.dilation_w});
  set_integers(conv, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
  set_integer(conv, "group", depthwise ? in(node, 0).shape[3] : 1);
}

void Exporter::add_pool(const Node& node, const char* op, const std::string& to) {
  const std::string x = activation(node.inputs[0]);
  const ops::Window w = ops::node_window(graph_, node);
  auto& pool = writer_.node(op, {x}, to);
  set_integers(pool, "kernel_shape", {w.kernel_h, w.kernel_w});
  set_integers(pool, "strides", {w.stride_h, w.stride_w});
  set_integers(pool, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
}

std::string Exporter::dense_weights(const Node& node, const Shape& picture) {
  if (plain(picture)) return weights(node, {0, 1});
  const Tensor& w = weights_of(node, 1);
  const Shape split{w.shape()[0], picture[1], picture[2], picture[3]};
  return constant(node.inputs[1], permuted(w.reshaped(split), kNchw).reshaped(w.shape()), 0, "dense" + picture.str(), in(node, 1).quant);
}

void Exporter::add_fully_connected(const Node& node, const std::string& to) {
  std::string x = activation(node.inputs[0]);
  Shape picture = in(node, 0).shape;
  if (auto it = flattened_.find(node.inputs[0]); it != flattened_.end()) picture = it->second;
  if (in(node, 0).shape.rank() != 2) {
    const std::string flat = writer_.fresh_name(to + "/flat");
    set_integer(writer_.node("Flatten", {x}, flat), "axis", 1);
    x = flat;
  }
  std::vector<std::string> inputs{x, dense_weights(node, picture)};
  if (has_bias(node)) inputs.push_back(bias(node));
  set_integer(writer_.node("Gemm", inputs, to), "transB", 1);
}

std::string Exporter::operand(const Node& node, size_t i) {
  const Value& value = in(node, i);
  const Shape& result = out(node).shape;
  if (!value.constant) {
    if (value.shape.rank() != result.rank()) ops::refuse(node, "combines " + value.shape.batch_str() + " with " + result.batch_str() + ", which ONNX would do otherwise", "reshape it first");
    return activation(node.inputs[i]);
  }
  if (value.quant.per_channel()) ops::refuse(node, "has a constant that is quantized per channel");
  std::vector<int64_t> dims(static_cast<size_t>(result.rank() - value.shape.rank()), 1);
  dims.insert(dims.end(), value.shape.dims().begin(), value.shape.dims().end());
  const Shape full(dims);
  return constant(node.inputs[i], permuted(value.constant->reshaped(full), order_of(full)), 0, full.str(), value.quant);
}

void Exporter::add_binary(const Node& node, const char* op, const std::string& to) {
  const std::string a = operand(node, 0), b = operand(node, 1);
  writer_.node(op, {a, b}, to);
}

void Exporter::add_mean(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::MeanAttrs>();
  std::string x = activation(node.inputs[0]);
  const Shape& shape = in(node, 0).shape;
  if (shape.rank() == 4 && attrs.keep_dims && attrs.axes == std::vector<int>{1, 2}) return void(writer_.node("GlobalAveragePool", {x}, to));
  Order order = order_of(shape);
  const bool one_left = attrs.axes.size() >= 2;  // of C, H and W
  if (shape.rank() == 4 && !attrs.keep_dims && !one_left) x = to_nhwc(x, to), order = identity(4);
  std::vector<int64_t> axes;
  for (int axis : attrs.axes) axes.push_back(inverse(order)[static_cast<size_t>(axis)]);
  std::sort(axes.begin(), axes.end());
  auto& mean = writer_.node("ReduceMean", {x}, to);
  set_integers(mean, "axes", axes);
  set_integer(mean, "keepdims", attrs.keep_dims);
}

void Exporter::add_hard_swish(const Node& node, const std::string& to) {
  const std::string x = activation(node.inputs[0]), gate = writer_.fresh_name(to + "/gate");
  auto& hard = writer_.node("HardSigmoid", {x}, gate);
  set_real(hard, "alpha", 1.0f / 6);
  set_real(hard, "beta", 0.5f);
  writer_.node("Mul", {x, gate}, to);
}

void Exporter::add_arg_max(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::ArgMaxAttrs>();
  const Shape& shape = in(node, 0).shape;
  std::string x = activation(node.inputs[0]);
  const bool turn = shape.rank() == 4 && attrs.axis != 3;
  if (turn) x = to_nhwc(x, to);
  const std::string wide = attrs.wide ? to : writer_.fresh_name(to + "/wide");
  auto& made = writer_.node("ArgMax", {x}, wide);
  set_integer(made, "axis", turn ? attrs.axis : file_axis(shape, attrs.axis));
  set_integer(made, "keepdims", 0);
  if (!attrs.wide) set_integer(writer_.node("Cast", {wide}, to), "to", elem_type_of(DType::s32));
}

void Exporter::add_softmax(const Node& node, const std::string& to) {
  std::string x = activation(node.inputs[0]);
  const float beta = node.as<graph::SoftmaxAttrs>().beta;
  if (beta != 1) {
    const std::string scaled = writer_.fresh_name(to + "/scaled");
    writer_.node("Mul", {x, number("beta", beta)}, scaled);
    x = scaled;
  }
  set_integer(writer_.node("Softmax", {x}, to), "axis", in(node, 0).shape.rank() == 4 ? 1 : -1);
}

void Exporter::add_batch_norm(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::BatchNormAttrs>();
  if (const int rank = in(node, 0).shape.rank(); rank != 2 && rank != 4) ops::refuse(node, fmt::format("works on {} dimensions, which ONNX would take otherwise", rank));
  std::vector<std::string> inputs{activation(node.inputs[0])};
  for (size_t i = 1; i < 5; ++i) inputs.push_back(constant(node.inputs[i], weights_of(node, i), 0, "vector", {}));
  auto& norm = writer_.node("BatchNormalization", inputs, to);
  set_real(norm, "epsilon", attrs.eps);
  set_real(norm, "momentum", 1 - attrs.momentum);
}

}  // namespace kinglet::formats::onnx
