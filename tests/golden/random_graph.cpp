#include "random_graph.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/random.h"
#include "ops/builder.h"

namespace kinglet::golden {

namespace {

using graph::Activation;
using graph::OpKind;
using graph::PaddingMode;
using graph::QuantParams;
using graph::ValueId;

class Maker {
 public:
  Maker(uint64_t seed, DType dtype, bool moves)
      : random_(seed, 0, 0, Purpose::draw), dtype_(dtype == DType::u8 ? DType::s8 : dtype), legacy_(dtype == DType::u8), moves_(moves) {}

  graph::Graph make() {
    ValueId x = b_.input("x", Shape{1, pick(9, 16), pick(9, 16), pick(1, 5)}, dtype_, quant(1.0));
    spread_[x] = 1.0;
    x = conv(x, pick(1, 4), 3);
    x = depthwise(x);
    const ValueId left = conv(x, pick(1, 3), 1), right = conv_like(left, x);
    x = two(OpKind::Add, left, right, std::hypot(spread_[left], spread_[right]));
    const ValueId factors = scaling(x);
    x = two(OpKind::Mul, x, factors, spread_[x] * spread_[factors]);
    x = one(pick(0, 1) ? OpKind::Relu : OpKind::Relu6, graph::NoAttrs{}, x, quant(spread_[x]));
    if (moves_) one(OpKind::HardSwish, graph::NoAttrs{}, x, quant(spread_[x])), move(x);
    x = pool(OpKind::MaxPool2d, x);
    x = one(OpKind::Pad, graph::PadAttrs{{0, int_pick(0, 2), int_pick(0, 2), 0}, {0, int_pick(0, 2), 1, 0}}, x, same(x));
    x = pool(OpKind::AveragePool2d, x);
    x = one(OpKind::Mean, graph::MeanAttrs{{1, 2}, pick(0, 1) == 1}, x, quant(0.5 * spread_[x]));
    if (b_.value(x).shape.rank() == 4) x = one(OpKind::Reshape, graph::ReshapeAttrs{{b_.value(x).shape[3]}}, x, same(x));
    x = fully_connected(x, pick(2, 11));
    const ValueId logits = x;
    one(OpKind::Logistic, graph::NoAttrs{}, logits, fixed());
    if (moves_) one(OpKind::ArgMax, graph::ArgMaxAttrs{1, pick(0, 1) == 1}, logits, {});
    x = one(OpKind::Softmax, graph::SoftmaxAttrs{pick(0, 1) ? 1.0f : 0.5f}, logits, fixed());
    if (is_s8() && !legacy_) convert(x);
    for (auto& node : b_.graph().nodes()) {
      if (legacy_) node.rule = graph::NodeRule::legacy_u8;
      b_.output(node.outputs[0]);
    }
    return b_.finish();
  }

 private:
  int64_t pick(int64_t low, int64_t high) { return low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low + 1))); }
  int int_pick(int low, int high) { return static_cast<int>(pick(low, high)); }
  bool is_s8() const { return dtype_ == DType::s8; }

  /// int8 parameters for values with this standard deviation: most are inside, some saturate.
  QuantParams quant(double spread) {
    if (!is_s8()) return {};
    return QuantParams::per_tensor(static_cast<float>(spread * 5 / 255 * random_.uniform(0.7, 1.5)), static_cast<int32_t>(pick(-60, 60)));
  }
  QuantParams same(ValueId x) { return b_.value(x).quant; }
  QuantParams fixed() { return is_s8() ? QuantParams::per_tensor(1.0f / 256, -128) : QuantParams{}; }
  Activation activation() { return static_cast<Activation>(pick(0, 2)); }

  std::string name(OpKind op) { return fmt::format("{}_{}", graph::op_name(op), b_.graph().node_count()); }
  ValueId add(OpKind op, graph::Attrs attrs, std::vector<ValueId> inputs, QuantParams q, double spread) {
    const ValueId y = b_.node(op, std::move(attrs), std::move(inputs), name(op), std::move(q));
    spread_[y] = spread;
    return y;
  }
  ValueId one(OpKind op, graph::Attrs attrs, ValueId x, QuantParams q) { return add(op, std::move(attrs), {x}, std::move(q), spread_[x]); }
  ValueId two(OpKind op, ValueId a, ValueId c, double spread) {
    return add(op, graph::ActivationAttrs{activation()}, {a, c}, quant(spread), spread);
  }
  /// A sum of `terms` products of x with weights w.
  ValueId weighted(OpKind op, graph::Attrs attrs, ValueId x, ValueId w, ValueId bias_or_none, int64_t terms) {
    std::vector<ValueId> inputs{x, w};
    if (bias_or_none != graph::kNone) inputs.push_back(bias_or_none);
    const double spread = spread_[x] * spread_[w] * std::sqrt(static_cast<double>(terms));
    return add(op, std::move(attrs), std::move(inputs), quant(spread), spread);
  }

  /// Weights with one scale a channel along `axis` (-1: one for all), zero point 0.
  ValueId weights(Shape shape, int axis) {
    if (legacy_) axis = -1;
    Tensor w(dtype_, shape);
    for (int64_t i = 0; i < w.elements(); ++i) {
      if (is_s8())
        w.mutable_data<int8_t>()[static_cast<size_t>(i)] = static_cast<int8_t>(pick(-127, 127));
      else
        w.mutable_data<float>()[static_cast<size_t>(i)] = static_cast<float>(random_.uniform(-0.5, 0.5));
    }
    QuantParams q;
    const int64_t scales = axis < 0 ? 1 : shape[axis];
    for (int64_t i = 0; is_s8() && i < scales; ++i)
      q.scale.push_back(static_cast<float>(random_.uniform(0.002, 0.01))), q.zero_point.push_back(0);
    q.axis = scales > 1 ? axis : -1;
    if (legacy_) q.zero_point[0] = static_cast<int32_t>(pick(28, 236)) - 128;
    const ValueId id = b_.constant("w", w, !is_s8(), q);
    spread_[id] = is_s8() ? 0.006 * 73 : 0.29;
    return id;
  }

  ValueId bias(int64_t n) {
    Tensor t(is_s8() ? DType::s32 : DType::f32, Shape{n});
    for (int64_t i = 0; i < n; ++i) {
      if (is_s8())
        t.mutable_data<int32_t>()[static_cast<size_t>(i)] = static_cast<int32_t>(pick(-4000, 4000));
      else
        t.mutable_data<float>()[static_cast<size_t>(i)] = static_cast<float>(random_.uniform(-1, 1));
    }
    return b_.constant("b", t, !is_s8());
  }

  graph::Padding padding(int64_t kernel) {
    const auto mode = static_cast<PaddingMode>(pick(0, 2));
    if (mode != PaddingMode::explicit_) return {.mode = mode};
    const int most = static_cast<int>(kernel) / 2;
    return {mode, int_pick(0, most), int_pick(0, most), int_pick(0, most), int_pick(0, most)};
  }

  ValueId conv(ValueId x, int64_t channels, int64_t kernel) {
    const ValueId w = weights(Shape{channels, kernel, kernel, b_.value(x).shape[3]}, 0);
    graph::Conv2dAttrs a{.stride_h = int_pick(1, 2), .stride_w = int_pick(1, 2), .padding = padding(kernel), .activation = activation()};
    if (a.stride_h == 1 && a.stride_w == 1 && kernel > 1) a.dilation_h = a.dilation_w = int_pick(1, 2);
    return weighted(OpKind::Conv2d, a, x, w, pick(0, 3) ? bias(channels) : graph::kNone, kernel * kernel * b_.value(x).shape[3]);
  }

  /// A second convolution of x with the shape of `model`, so that the two can be added.
  ValueId conv_like(ValueId model, ValueId x) {
    graph::Node first;
    for (const auto& node : b_.graph().nodes())
      if (node.outputs[0] == model) first = node;
    const ValueId w = weights(b_.value(first.inputs[1]).shape, 0);
    return weighted(OpKind::Conv2d, first.attrs, x, w, bias(b_.value(model).shape[3]), b_.value(x).shape[3]);
  }

  ValueId depthwise(ValueId x) {
    const int64_t channels = b_.value(x).shape[3], multiplier = pick(1, 3);
    const ValueId w = weights(Shape{1, 3, 3, channels * multiplier}, 3);
    graph::DepthwiseConv2dAttrs a{.multiplier = static_cast<int>(multiplier), .padding = padding(3), .activation = activation()};
    if (a.padding.mode == PaddingMode::valid) a.padding.mode = PaddingMode::same;
    return weighted(OpKind::DepthwiseConv2d, a, x, w, bias(channels * multiplier), 9);
  }

  /// A constant factor: a scalar or one a channel.
  ValueId scaling(ValueId x) {
    const ValueId w = weights(pick(0, 1) ? Shape{1, 1, 1, b_.value(x).shape[3]} : Shape{1, 1, 1, 1}, -1);
    if (is_s8()) b_.graph().value(w).quant.zero_point[0] = static_cast<int32_t>(pick(-20, 20));
    return w;
  }

  ValueId pool(OpKind op, ValueId x) {
    const Shape s = b_.value(x).shape;
    graph::Pool2dAttrs a{.kernel_h = static_cast<int>(std::min<int64_t>(s[1], pick(1, 3))),
                         .kernel_w = static_cast<int>(std::min<int64_t>(s[2], pick(1, 3))),
                         .stride_h = int_pick(1, 2),
                         .stride_w = int_pick(1, 2),
                         .activation = activation()};
    a.padding.mode = pick(0, 1) ? PaddingMode::same : PaddingMode::valid;
    return one(op, a, x, same(x));
  }

  ValueId fully_connected(ValueId x, int64_t outs) {
    const ValueId w = weights(Shape{outs, b_.value(x).shape[1]}, -1);
    return weighted(OpKind::FullyConnected, graph::FullyConnectedAttrs{activation()}, x, w, bias(outs), b_.value(x).shape[1]);
  }

  /// Operators that leave values as they are, each on x alone.
  void move(ValueId x) {
    const Shape s = b_.value(x).shape;
    one(OpKind::Transpose, graph::TransposeAttrs{pick(0, 1) ? std::vector<int>{0, 3, 1, 2} : std::vector<int>{0, 2, 1, 3}}, x, same(x));
    graph::StridedSliceAttrs slice{{0}, {1}, {1}, {}};
    for (int axis = 1; axis < 4; ++axis) {
      slice.begin.push_back(int_pick(0, static_cast<int>(s[axis]) - 1));
      slice.end.push_back(int_pick(slice.begin.back() + 1, static_cast<int>(s[axis])));
      slice.stride.push_back(int_pick(1, 2));
    }
    if (pick(0, 1)) slice.drop = {2}, slice.end[2] = slice.begin[2] + 1, slice.stride[2] = 1;
    one(OpKind::StridedSlice, slice, x, same(x));
    const bool corners = pick(0, 1) == 1;
    const ValueId resized = one(OpKind::ResizeNearest, graph::ResizeNearestAttrs{int_pick(1, 20), static_cast<int>(s[2]), corners, !corners && pick(0, 1)}, x, same(x));
    add(OpKind::Concatenation, graph::ConcatenationAttrs{1}, {x, resized, x}, same(x), spread_[x]);
  }

  /// int8 -> uint8, int8 -> other int8, int8 -> float.
  void convert(ValueId x) {
    one(OpKind::Quantize, graph::NoAttrs{}, x, QuantParams::per_tensor(0.01f, 3));
    one(OpKind::Dequantize, graph::NoAttrs{}, x, {});
    graph::Value bytes;
    bytes.name = "bytes";
    bytes.dtype = DType::u8;
    bytes.shape = b_.value(x).shape;
    bytes.quant = QuantParams::per_tensor(1.0f / 256, 0);
    graph::Node node;
    node.op = OpKind::Quantize;
    node.name = "bytes";
    node.inputs = {x};
    node.outputs = {b_.graph().add_value(bytes)};
    b_.graph().add_node(node);
  }

  ops::GraphBuilder b_;
  RandomStream random_;
  DType dtype_;
  bool legacy_, moves_;
  std::map<ValueId, double> spread_;  ///< estimated standard deviation, in real units
};

}  // namespace

graph::Model random_model(uint64_t seed, DType dtype, bool moves) {
  graph::Model model;
  model.name = fmt::format("random_{}", seed);
  model.graph = Maker(seed, dtype, moves).make();
  return model;
}

}  // namespace kinglet::golden
