#include "random_graphs.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "ops/builder.h"

namespace kinglet::testing {

using graph::Activation;
using graph::OpKind;
using graph::PaddingMode;
using graph::QuantParams;
using ops::GraphBuilder;
using graph::ValueId;

namespace {

/// Draws and the builder that they go into.
struct Draw {
  RandomStream random;
  GraphBuilder builder;

  int below(int n) { return static_cast<int>(random.below(static_cast<uint64_t>(n))); }
  int between(int low, int high) { return low + below(high - low + 1); }
  template <class T>
  T one_of(std::initializer_list<T> list) { return *(list.begin() + below(static_cast<int>(list.size()))); }
  int channels() { return one_of({1, 2, 3, 4, 8, 15, 16, 17, 24, 33, 48}); }
  int side() { return one_of({1, 2, 3, 5, 7, 8, 9, 12, 13}); }
  float scale(double low = 0.005, double high = 0.1) { return static_cast<float>(random.uniform(low, high)); }
  QuantParams grid() { return QuantParams::per_tensor(scale(), between(-128, 127)); }
  Activation activation() { return one_of({Activation::none, Activation::relu, Activation::relu6}); }

  Tensor bytes(Shape shape) {
    Tensor t(DType::s8, shape);
    for (auto& v : t.mutable_data<int8_t>()) v = static_cast<int8_t>(between(-127, 127));
    return t;
  }
  Tensor floats(Shape shape, double spread) {
    Tensor t(DType::f32, shape);
    for (auto& v : t.mutable_data<float>()) v = static_cast<float>(random.normal() * spread);
    return t;
  }
  Tensor biases(int64_t n, int spread) {
    Tensor t(DType::s32, Shape{n});
    for (auto& v : t.mutable_data<int32_t>()) v = between(-spread, spread);
    return t;
  }

  graph::Padding padding(int kernel_h, int kernel_w) {
    const auto mode = one_of({PaddingMode::valid, PaddingMode::same, PaddingMode::explicit_});
    if (mode != PaddingMode::explicit_) return {mode, 0, 0, 0, 0};
    return {mode, below(kernel_h), below(kernel_h), below(kernel_w), below(kernel_w)};
  }
  ValueId input(bool is_f32, Shape shape, const char* name = "x") {
    return is_f32 ? builder.input(name, shape) : builder.input(name, shape, DType::s8, grid());
  }
  /// A scale that spreads sums of `taps` products over about all of int8.
  QuantParams output_grid(float in_scale, float weight_scale, int64_t taps) {
    const double sum = 5000.0 * std::sqrt(static_cast<double>(taps));
    return QuantParams::per_tensor(static_cast<float>(in_scale * weight_scale * sum / random.uniform(20, 200)), between(-128, 127));
  }
};

/// Weights with a scale each (or one for all), some of them so small that the multiplier becomes 0.
ValueId s8_weights(Draw& d, Shape shape, int axis, bool per_channel, float* typical) {
  *typical = d.scale();
  QuantParams q{{*typical}, {0}, -1};
  if (per_channel) {
    const auto n = static_cast<size_t>(shape[axis]);
    q = {std::vector<float>(n), std::vector<int32_t>(n, 0), axis};
    for (auto& s : q.scale) s = d.below(40) == 0 ? 1e-14f : *typical * static_cast<float>(d.random.uniform(0.3, 2.0));
  }
  return d.builder.constant("weights", d.bytes(shape), false, q);
}

struct ConvShape {
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  graph::Padding padding;
};

ConvShape conv_shape(Draw& d, int in_h, int in_w) {
  for (;;) {
    ConvShape s{d.one_of({1, 2, 3, 3, 5}), d.one_of({1, 2, 3, 3, 5}), d.between(1, 2), d.between(1, 3), 1, 1, {}};
    if (d.below(6) == 0) s.dilation_h = 2, s.dilation_w = d.between(1, 3);
    s.padding = d.padding(s.kernel_h, s.kernel_w);
    if ((s.kernel_h - 1) * s.dilation_h < in_h && (s.kernel_w - 1) * s.dilation_w < in_w) return s;
  }
}

ValueId conv(Draw& d, ValueId x, int outputs, const char* name) {
  const graph::Value in = d.builder.value(x);
  const bool is_f32 = in.dtype == DType::f32;
  const ConvShape s = conv_shape(d, static_cast<int>(in.shape[1]), static_cast<int>(in.shape[2]));
  const Shape shape{outputs, s.kernel_h, s.kernel_w, in.shape[3]};
  const graph::Conv2dAttrs attrs{s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.padding, d.activation()};
  const int64_t taps = shape.elements() / outputs;
  const bool has_bias = d.below(4) != 0;
  if (is_f32) {
    const ValueId w = d.builder.constant("weights", d.floats(shape, 1.0 / std::sqrt(static_cast<double>(taps))));
    const ValueId b = has_bias ? d.builder.constant("bias", d.floats(Shape{outputs}, 1.0)) : graph::kNone;
    return d.builder.node(OpKind::Conv2d, attrs, {x, w, b}, name);
  }
  float typical = 0;
  const ValueId w = s8_weights(d, shape, 0, true, &typical);
  const ValueId b = has_bias ? d.builder.constant("bias", d.biases(outputs, 3000)) : graph::kNone;
  return d.builder.node(OpKind::Conv2d, attrs, {x, w, b}, name, d.output_grid(in.quant.scale[0], typical, taps));
}

ValueId depthwise(Draw& d, ValueId x, const char* name) {
  const graph::Value in = d.builder.value(x);
  const bool is_f32 = in.dtype == DType::f32;
  const ConvShape s = conv_shape(d, static_cast<int>(in.shape[1]), static_cast<int>(in.shape[2]));
  const int multiplier = in.shape[3] == 1 ? d.one_of({1, 8}) : d.one_of({1, 1, 1, 2});
  const int64_t outputs = in.shape[3] * multiplier;
  const Shape shape{1, s.kernel_h, s.kernel_w, outputs};
  const graph::DepthwiseConv2dAttrs attrs{s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, multiplier, s.padding, d.activation()};
  if (is_f32) {
    const ValueId w = d.builder.constant("weights", d.floats(shape, 0.3)), b = d.builder.constant("bias", d.floats(Shape{outputs}, 1.0));
    return d.builder.node(OpKind::DepthwiseConv2d, attrs, {x, w, b}, name);
  }
  float typical = 0;
  const ValueId w = s8_weights(d, shape, 3, true, &typical), b = d.builder.constant("bias", d.biases(outputs, 3000));
  return d.builder.node(OpKind::DepthwiseConv2d, attrs, {x, w, b}, name, d.output_grid(in.quant.scale[0], typical, s.kernel_h * s.kernel_w));
}

ValueId fully_connected(Draw& d, ValueId x, int outputs, const char* name) {
  const graph::Value in = d.builder.value(x);
  const int64_t depth = in.shape.elements();
  const graph::FullyConnectedAttrs attrs{d.activation()};
  if (in.dtype == DType::f32) {
    const ValueId w = d.builder.constant("weights", d.floats(Shape{outputs, depth}, 1.0 / std::sqrt(static_cast<double>(depth))));
    return d.builder.node(OpKind::FullyConnected, attrs, {x, w, d.builder.constant("bias", d.floats(Shape{outputs}, 1.0))}, name);
  }
  float typical = 0;
  const ValueId w = s8_weights(d, Shape{outputs, depth}, 0, d.below(3) == 0, &typical);
  const ValueId b = d.builder.constant("bias", d.biases(outputs, 3000));
  return d.builder.node(OpKind::FullyConnected, attrs, {x, w, b}, name, d.output_grid(in.quant.scale[0], typical, depth));
}

Shape picture(Draw& d) { return {1, d.side(), d.side(), d.channels()}; }

/// A second operand: as large, one a channel, one for all, or one a channel repeated by the first.
Shape other_operand(Draw& d, const Shape& x) {
  switch (d.below(4)) {
    case 0: return x;
    case 1: return Shape{x[3]};
    case 2: return Shape{1, 1, 1, 1};
    default: return Shape{1, x[1], 1, x[3]};
  }
}

void binary_case(Draw& d, OpKind op, bool is_f32) {
  const Shape shape = picture(d), other = other_operand(d, shape);
  const ValueId x = d.input(is_f32, shape);
  ValueId y = graph::kNone;
  if (d.below(2) || other.rank() != 4) y = d.builder.constant("other", is_f32 ? d.floats(other, 2.0) : d.bytes(other), false, is_f32 ? QuantParams{} : d.grid());
  else y = d.input(is_f32, other, "other");
  std::vector<ValueId> inputs{x, y};
  if (d.below(3) == 0) std::swap(inputs[0], inputs[1]);
  const float spread = op == OpKind::Mul ? 0.3f : 0.1f;
  const QuantParams out = is_f32 ? QuantParams{} : QuantParams::per_tensor(d.scale(0.02, spread), d.between(-128, 127));
  d.builder.output(d.builder.node(op, graph::ActivationAttrs{d.activation()}, inputs, "y", out));
}

void pool_case(Draw& d, OpKind op, bool is_f32) {
  const Shape shape = picture(d);
  const ValueId x = d.input(is_f32, shape);
  graph::Pool2dAttrs a;
  a.kernel_h = d.between(1, static_cast<int>(std::min<int64_t>(shape[1], 5))), a.kernel_w = d.between(1, static_cast<int>(std::min<int64_t>(shape[2], 5)));
  if (d.below(4) == 0) a.kernel_h = static_cast<int>(shape[1]), a.kernel_w = static_cast<int>(shape[2]);
  a.stride_h = d.between(1, 2), a.stride_w = d.between(1, 3);
  a.padding = d.padding(a.kernel_h, a.kernel_w);
  a.activation = d.activation();
  d.builder.output(d.builder.node(op, a, {x}, "y", d.builder.value(x).quant));
}

void mean_case(Draw& d, bool is_f32) {
  const ValueId x = d.input(is_f32, picture(d));
  static const std::vector<std::vector<int>> kAxes{{1, 2}, {1, 2, 3}, {3}, {2}, {1, 3}};
  const graph::MeanAttrs a{kAxes[static_cast<size_t>(d.below(5))], d.below(2) == 0};
  d.builder.output(d.builder.node(OpKind::Mean, a, {x}, "y", is_f32 ? QuantParams{} : d.grid()));
}

void pad_case(Draw& d, bool is_f32) {
  const ValueId x = d.input(is_f32, picture(d));
  graph::PadAttrs a{{0, d.below(3), d.below(3), d.below(2)}, {0, d.below(3), d.below(3), d.below(3)}};
  d.builder.output(d.builder.node(OpKind::Pad, a, {x}, "y", d.builder.value(x).quant));
}

void softmax_case(Draw& d, bool is_f32) {
  const Shape shape = d.below(2) ? Shape{1, d.one_of({2, 7, 10, 1001})} : Shape{1, d.side(), d.side(), d.channels()};
  const ValueId x = is_f32 ? d.builder.input("x", shape) : d.builder.input("x", shape, DType::s8, QuantParams::per_tensor(d.scale(0.001, 0.5), d.between(-128, 127)));
  d.builder.output(d.builder.node(OpKind::Softmax, graph::SoftmaxAttrs{d.one_of({1.0f, 0.5f, 2.0f})}, {x}, "y", is_f32 ? QuantParams{} : QuantParams::per_tensor(1.0f / 256, -128)));
}

void unary_case(Draw& d, OpKind op, bool is_f32) {
  const ValueId x = d.input(is_f32, picture(d));
  const QuantParams out = is_f32 ? QuantParams{} : op == OpKind::Logistic ? QuantParams::per_tensor(1.0f / 256, -128) : d.grid();
  d.builder.output(d.builder.node(op, graph::NoAttrs{}, {x}, "y", out));
}

/// Quantize and Dequantize to and from int8 and uint8; the output's type is set before the node is checked.
void convert_case(Draw& d, DType from, DType to) {
  const auto grid = [&](DType t) { return t == DType::f32 ? QuantParams{} : t == DType::s8 ? d.grid() : QuantParams::per_tensor(d.scale(), d.between(0, 255)); };
  const ValueId x = d.builder.input("x", picture(d), from, grid(from));
  const ValueId y = d.builder.node(to == DType::f32 ? OpKind::Dequantize : OpKind::Quantize, graph::NoAttrs{}, {x}, "y", grid(to));
  d.builder.graph().value(y).dtype = to;
  d.builder.output(y);
}

/// Rank 2 to 4 with any order of the axes after the first; sometimes two in a row.
void transpose_case(Draw& d, bool is_f32) {
  const Shape shape = d.one_of({Shape{1, d.side(), d.channels()}, Shape{1, d.side(), d.side(), d.channels()}, Shape{1, 3, 2, d.side(), d.between(1, 5)}});
  ValueId x = d.input(is_f32, shape);
  for (int i = d.between(1, 2); i > 0; --i) {
    graph::TransposeAttrs a;
    for (int axis = 0; axis < shape.rank(); ++axis) a.perm.push_back(axis);
    for (size_t axis = a.perm.size() - 1; axis > 1; --axis) std::swap(a.perm[axis], a.perm[static_cast<size_t>(d.between(1, static_cast<int>(axis)))]);
    x = d.builder.node(OpKind::Transpose, a, {x}, "y", d.builder.value(x).quant);
  }
  d.builder.output(x);
}

/// One to nine inputs, one of them a constant, one perhaps twice.
void concatenation_case(Draw& d, bool is_f32) {
  const int axis = d.between(1, 3), n = d.one_of({1, 2, 3, 4, 5, 9});
  const Shape shape = picture(d);
  const ValueId x = d.input(is_f32, shape);
  const QuantParams quant = d.builder.value(x).quant;
  std::vector<ValueId> inputs{x};
  for (int i = 1; i < n; ++i) {
    const Shape part = shape.with_dim(axis, d.between(1, 4));
    inputs.push_back(i % 3 == 0 ? x : d.builder.constant("part", is_f32 ? d.floats(part, 1.0) : d.bytes(part), false, quant));
  }
  d.builder.output(d.builder.node(OpKind::Concatenation, graph::ConcatenationAttrs{axis}, inputs, "y", quant));
}

void slice_case(Draw& d, bool is_f32) {
  const Shape shape = picture(d);
  const ValueId x = d.input(is_f32, shape);
  graph::StridedSliceAttrs a{{0}, {1}, {1}, {}};
  for (int axis = 1; axis < 4; ++axis) {
    const int size = static_cast<int>(shape[axis]), begin = d.below(size);
    const bool drops = d.below(5) == 0;
    a.begin.push_back(d.below(3) ? begin : 0);
    a.end.push_back(drops ? a.begin.back() + 1 : d.between(a.begin.back() + 1, size));
    a.stride.push_back(d.between(1, 3));
    if (drops) a.drop.push_back(axis);
  }
  d.builder.output(d.builder.node(OpKind::StridedSlice, a, {x}, "y", d.builder.value(x).quant));
}

void resize_case(Draw& d, bool is_f32) {
  const ValueId x = d.input(is_f32, picture(d));
  const graph::ResizeNearestAttrs a{d.between(1, 20), d.between(1, 20), d.below(2) == 0, d.below(2) == 0};
  d.builder.output(d.builder.node(OpKind::ResizeNearest, a, {x}, "y", d.builder.value(x).quant));
}

void arg_max_case(Draw& d, bool is_f32) {
  const ValueId x = d.input(is_f32, d.below(2) ? Shape{1, d.one_of({1, 2, 10, 1001})} : picture(d));
  const graph::ArgMaxAttrs a{d.between(1, d.builder.value(x).shape.rank() - 1), d.below(2) == 0};
  d.builder.output(d.builder.node(OpKind::ArgMax, a, {x}, "y"));
}

void conv_case(Draw& d, bool is_f32) {
  const int in_c = d.channels(), out_c = d.channels();
  d.builder.output(conv(d, d.input(is_f32, {1, d.side(), d.side(), in_c}), out_c, "y"));
}

/// As the pass convert_legacy_uint8 leaves them: one weight scale, a weight zero point, the older rounding.
void make_legacy(Draw& d) {
  for (auto& node : d.builder.graph().nodes()) {
    node.rule = graph::NodeRule::legacy_u8;
    if (node.inputs.size() < 2) continue;
    auto& quant = d.builder.graph().value(node.inputs[1]).quant;
    quant = QuantParams::per_tensor(quant.scale[0], d.between(28, 236) - 128);
  }
}

void legacy_case(Draw& d) {
  switch (d.below(4)) {
    case 0: conv_case(d, false); break;
    case 1: d.builder.output(depthwise(d, d.input(false, picture(d)), "y")); break;
    case 2: d.builder.output(fully_connected(d, d.input(false, picture(d)), d.channels(), "y")); break;
    default: pool_case(d, OpKind::AveragePool2d, false);
  }
  make_legacy(d);
}

struct Recipe {
  const char* name;
  std::function<void(Draw&)> build;
};

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> list{
      {"conv2d_s8", [](Draw& d) { conv_case(d, false); }},
      {"conv2d_f32", [](Draw& d) { conv_case(d, true); }},
      {"depthwise_conv2d_s8", [](Draw& d) { d.builder.output(depthwise(d, d.input(false, picture(d)), "y")); }},
      {"depthwise_conv2d_f32", [](Draw& d) { d.builder.output(depthwise(d, d.input(true, picture(d)), "y")); }},
      {"fully_connected_s8", [](Draw& d) { d.builder.output(fully_connected(d, d.input(false, picture(d)), d.channels(), "y")); }},
      {"fully_connected_f32", [](Draw& d) { d.builder.output(fully_connected(d, d.input(true, picture(d)), d.channels(), "y")); }},
      {"add_s8", [](Draw& d) { binary_case(d, OpKind::Add, false); }},
      {"add_f32", [](Draw& d) { binary_case(d, OpKind::Add, true); }},
      {"mul_s8", [](Draw& d) { binary_case(d, OpKind::Mul, false); }},
      {"mul_f32", [](Draw& d) { binary_case(d, OpKind::Mul, true); }},
      {"average_pool2d_s8", [](Draw& d) { pool_case(d, OpKind::AveragePool2d, false); }},
      {"average_pool2d_f32", [](Draw& d) { pool_case(d, OpKind::AveragePool2d, true); }},
      {"max_pool2d_s8", [](Draw& d) { pool_case(d, OpKind::MaxPool2d, false); }},
      {"max_pool2d_f32", [](Draw& d) { pool_case(d, OpKind::MaxPool2d, true); }},
      {"mean_s8", [](Draw& d) { mean_case(d, false); }},
      {"mean_f32", [](Draw& d) { mean_case(d, true); }},
      {"pad_s8", [](Draw& d) { pad_case(d, false); }},
      {"pad_f32", [](Draw& d) { pad_case(d, true); }},
      {"softmax_s8", [](Draw& d) { softmax_case(d, false); }},
      {"softmax_f32", [](Draw& d) { softmax_case(d, true); }},
      {"logistic_s8", [](Draw& d) { unary_case(d, OpKind::Logistic, false); }},
      {"logistic_f32", [](Draw& d) { unary_case(d, OpKind::Logistic, true); }},
      {"relu_s8", [](Draw& d) { unary_case(d, d.one_of({OpKind::Relu, OpKind::Relu6}), false); }},
      {"relu_f32", [](Draw& d) { unary_case(d, d.one_of({OpKind::Relu, OpKind::Relu6}), true); }},
      {"hard_swish_s8", [](Draw& d) { unary_case(d, OpKind::HardSwish, false); }},
      {"hard_swish_f32", [](Draw& d) { unary_case(d, OpKind::HardSwish, true); }},
      {"transpose_s8", [](Draw& d) { transpose_case(d, false); }},
      {"transpose_f32", [](Draw& d) { transpose_case(d, true); }},
      {"concatenation_s8", [](Draw& d) { concatenation_case(d, false); }},
      {"concatenation_f32", [](Draw& d) { concatenation_case(d, true); }},
      {"strided_slice_s8", [](Draw& d) { slice_case(d, false); }},
      {"strided_slice_f32", [](Draw& d) { slice_case(d, true); }},
      {"resize_nearest_s8", [](Draw& d) { resize_case(d, false); }},
      {"resize_nearest_f32", [](Draw& d) { resize_case(d, true); }},
      {"arg_max_s8", [](Draw& d) { arg_max_case(d, false); }},
      {"arg_max_f32", [](Draw& d) { arg_max_case(d, true); }},
      {"quantize_f32_s8", [](Draw& d) { convert_case(d, DType::f32, DType::s8); }},
      {"quantize_f32_u8", [](Draw& d) { convert_case(d, DType::f32, DType::u8); }},
      {"quantize_s8_s8", [](Draw& d) { convert_case(d, DType::s8, DType::s8); }},
      {"quantize_u8_s8", [](Draw& d) { convert_case(d, DType::u8, DType::s8); }},
      {"quantize_s8_u8", [](Draw& d) { convert_case(d, DType::s8, DType::u8); }},
      {"dequantize_s8", [](Draw& d) { convert_case(d, DType::s8, DType::f32); }},
      {"dequantize_u8", [](Draw& d) { convert_case(d, DType::u8, DType::f32); }},
      {"legacy_uint8", legacy_case},
      {"legacy_uint8_more", legacy_case},
      {"reshape_copy", [](Draw& d) {
         const ValueId x = d.input(false, picture(d));
         const int64_t n = d.builder.value(x).shape.elements();
         d.builder.output(d.builder.node(OpKind::Reshape, graph::ReshapeAttrs{{n}}, {x}, "y", d.builder.value(x).quant));
       }},
  };
  return list;
}

/// A trunk with an identity shortcut, a projected one, a reshape in the middle, a second output and a softmax head.
void network(Draw& d, bool is_f32) {
  const QuantParams free = is_f32 ? QuantParams{} : d.grid();
  ValueId x = d.input(is_f32, {1, d.between(5, 13), d.between(5, 13), d.channels()});
  x = conv(d, x, d.channels(), "stem");
  const graph::Value trunk = d.builder.value(x);
  ValueId side_way = d.builder.node(OpKind::Relu, graph::NoAttrs{}, {x}, "side", free);
  side_way = d.builder.node(OpKind::Logistic, graph::NoAttrs{}, {side_way}, "gate", is_f32 ? QuantParams{} : QuantParams::per_tensor(1.0f / 256, -128));
  ValueId sum = d.builder.node(OpKind::Add, graph::ActivationAttrs{d.activation()}, {x, side_way}, "sum", free);
  sum = d.builder.node(OpKind::Mul, graph::ActivationAttrs{}, {sum, sum}, "square", is_f32 ? QuantParams{} : QuantParams::per_tensor(0.2f, d.between(-128, 0)));
  if (d.below(2)) d.builder.output(sum);
  sum = d.builder.node(OpKind::Pad, graph::PadAttrs{{0, 1, 0, 0}, {0, 1, 2, 0}}, {sum}, "pad", d.builder.value(sum).quant);
  sum = depthwise(d, sum, "depthwise");
  const Shape s = d.builder.value(sum).shape;
  ValueId flat = d.builder.node(OpKind::Reshape, graph::ReshapeAttrs{{s.elements()}}, {sum}, "flat", d.builder.value(sum).quant);
  flat = d.builder.node(OpKind::Relu6, graph::NoAttrs{}, {flat}, "clipped", free);
  flat = d.builder.node(OpKind::Reshape, graph::ReshapeAttrs{{s[1], s[2], s[3]}}, {flat}, "back", d.builder.value(flat).quant);
  ValueId logits = fully_connected(d, flat, d.between(2, 17), "logits");
  d.builder.output(d.builder.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {logits}, "scores", is_f32 ? QuantParams{} : QuantParams::per_tensor(1.0f / 256, -128)));
  if (d.below(2)) d.builder.output(logits);
  if (d.below(2)) d.builder.output(flat);
}

RandomStream stream(uint64_t seed, uint64_t group, uint64_t item) { return {seed, group, item, Purpose::draw}; }

}  // namespace

uint64_t test_seed() {
  const char* text = std::getenv("KINGLET_TEST_SEED");
  static const uint64_t seed = [&] {
    const uint64_t value = text ? std::strtoull(text, nullptr, 10) : 20240229;
    std::printf("KINGLET_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

std::vector<Case> operator_cases(uint64_t seed, int per_operator) {
  std::vector<Case> cases;
  uint64_t group = 0;
  for (const Recipe& recipe : recipes()) {
    ++group;
    for (int i = 0; i < per_operator; ++i) {
      Draw d{stream(seed, group, static_cast<uint64_t>(i)), {}};
      recipe.build(d);
      cases.push_back({std::string(recipe.name) + "_" + std::to_string(i), d.builder.finish()});
    }
  }
  return cases;
}

std::vector<Case> network_cases(uint64_t seed, int count) {
  std::vector<Case> cases;
  for (int i = 0; i < count; ++i) {
    Draw d{stream(seed, 0, static_cast<uint64_t>(i)), {}};
    network(d, i % 4 == 3);
    cases.push_back({"network_" + std::to_string(i), d.builder.finish()});
  }
  return cases;
}

std::vector<Tensor> random_inputs(const graph::Graph& graph, RandomStream& random) {
  std::vector<Tensor> list;
  for (auto v : graph.inputs) {
    const auto& value = graph.value(v);
    Tensor t(value.dtype, value.shape);
    if (value.dtype == DType::f32) {
      for (auto& f : t.mutable_data<float>()) f = static_cast<float>(random.normal() * 2.0);
    } else {
      for (auto& b : t.mutable_bytes()) b = static_cast<std::byte>(random.bits());
    }
    list.push_back(std::move(t));
  }
  return list;
}

}  // namespace kinglet::testing
