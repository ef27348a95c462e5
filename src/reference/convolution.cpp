#include <algorithm>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "reference/kernels.h"

namespace kinglet::reference {

namespace {

/// Calls visit(y, x, ky, kx) for the window's taps that lie inside the picture, y and x being the input pixel.
template <class Visit>
void for_each_tap(const ops::Window& w, int64_t out_y, int64_t out_x, Visit&& visit) {
  for (int ky = 0; ky < w.kernel_h; ++ky)
    for (int kx = 0; kx < w.kernel_w; ++kx) {
      const int64_t y = out_y * w.stride_h - w.pad_top + ky * w.dilation_h, x = out_x * w.stride_w - w.pad_left + kx * w.dilation_w;
      if (y >= 0 && y < w.in_h && x >= 0 && x < w.in_w) visit(y, x, ky, kx);
    }
}

/// Walks the output; element(n, y, x, c, output index).
template <class Element>
void for_each_output(const Shape& out, Element&& element) {
  int64_t index = 0;
  for (int64_t n = 0; n < out[0]; ++n)
    for (int64_t y = 0; y < out[1]; ++y)
      for (int64_t x = 0; x < out[2]; ++x)
        for (int64_t c = 0; c < out[3]; ++c) element(n, y, x, c, index++);
}

int32_t finish(int32_t sum, const ops::Multiplier& m, int32_t zero_point, const ops::ClampRange& range) {
  return std::clamp(ops::requantize(sum, m) + zero_point, range.min, range.max);
}

/// The sum over the window in T's accumulator: a dense or a depthwise one. Zero points are subtracted from the input.
template <class T, class Sum>
struct Accumulate {
  Call& call;
  const ops::Window w = ops::node_window(call.graph, call.node);
  const Shape& xs = call.in[0].shape();
  const Shape& ws = call.in[1].shape();
  std::span<const T> x = call.in[0].data<T>();
  std::span<const T> k = call.in[1].data<T>();
  Sum zero_point = 0, weight_zero = 0;

  Sum dense(int64_t n, int64_t oy, int64_t ox, int64_t oc) const {
    Sum sum = 0;
    for_each_tap(w, oy, ox, [&](int64_t y, int64_t xx, int ky, int kx) {
      for (int64_t ic = 0; ic < xs[3]; ++ic) {
        const Sum value = x[static_cast<size_t>(((n * xs[1] + y) * xs[2] + xx) * xs[3] + ic)];
        sum += (value - zero_point) * (static_cast<Sum>(k[static_cast<size_t>(((oc * ws[1] + ky) * ws[2] + kx) * ws[3] + ic)]) - weight_zero);
      }
    });
    return sum;
  }

  Sum depthwise(int64_t n, int64_t oy, int64_t ox, int64_t oc) const {
    const int64_t ic = oc / call.node.as<graph::DepthwiseConv2dAttrs>().multiplier;
    Sum sum = 0;
    for_each_tap(w, oy, ox, [&](int64_t y, int64_t xx, int ky, int kx) {
      const Sum value = x[static_cast<size_t>(((n * xs[1] + y) * xs[2] + xx) * xs[3] + ic)];
      sum += (value - zero_point) * (static_cast<Sum>(k[static_cast<size_t>((ky * ws[2] + kx) * ws[3] + oc)]) - weight_zero);
    });
    return sum;
  }
};

template <bool kDepthwise, class T, class Sum>
Sum window_sum(const Accumulate<T, Sum>& a, int64_t n, int64_t y, int64_t x, int64_t c) {
  return kDepthwise ? a.depthwise(n, y, x, c) : a.dense(n, y, x, c);
}

template <bool kDepthwise>
void convolve_f32(Call& call) {
  const Accumulate<float, float> acc{call};
  const auto bias = call.has(2) ? call.in[2].data<float>() : std::span<const float>{};
  const auto range = ops::activation_range(ops::fused_activation(call.node));
  auto out = call.out.mutable_data<float>();
  for_each_output(call.out.shape(), [&](int64_t n, int64_t y, int64_t x, int64_t c, int64_t i) {
    const float sum = window_sum<kDepthwise>(acc, n, y, x, c) + (bias.empty() ? 0.0f : bias[static_cast<size_t>(c)]);
    out[static_cast<size_t>(i)] = std::clamp(sum, range.min, range.max);
  });
}

template <bool kDepthwise>
void convolve_s8(Call& call) {
  Accumulate<int8_t, int32_t> acc{call};
  acc.zero_point = call.input_zero_point();
  acc.weight_zero = ops::weight_zero_point(call.graph, call.node);
  const auto bias = call.has(2) ? call.in[2].data<int32_t>() : std::span<const int32_t>{};
  const auto multipliers = ops::conv_multipliers(call.graph, call.node);
  const auto range = ops::activation_range(ops::fused_activation(call.node), call.output_value().quant, DType::s8);
  auto out = call.out.mutable_data<int8_t>();
  for_each_output(call.out.shape(), [&](int64_t n, int64_t y, int64_t x, int64_t c, int64_t i) {
    const auto ch = static_cast<size_t>(c);
    const int32_t sum = window_sum<kDepthwise>(acc, n, y, x, c) + (bias.empty() ? 0 : bias[ch]);
    out[static_cast<size_t>(i)] = static_cast<int8_t>(finish(sum, multipliers[ch], call.output_zero_point(), range));
  });
}

}  // namespace

void conv2d(Call& call) { call.is_float() ? convolve_f32<false>(call) : convolve_s8<false>(call); }
void depthwise_conv2d(Call& call) { call.is_float() ? convolve_f32<true>(call) : convolve_s8<true>(call); }

namespace {

void fully_connected_f32(Call& call) {
  const int64_t outs = call.in[1].shape()[0], depth = call.in[1].shape()[1], n = call.in[0].shape()[0];
  const auto x = call.in[0].data<float>(), w = call.in[1].data<float>();
  const auto range = ops::activation_range(ops::fused_activation(call.node));
  auto y = call.out.mutable_data<float>();
  for (int64_t i = 0; i < n * outs; ++i) {
    float sum = 0;
    for (int64_t d = 0; d < depth; ++d) sum += x[static_cast<size_t>(i / outs * depth + d)] * w[static_cast<size_t>(i % outs * depth + d)];
    if (call.has(2)) sum += call.in[2].data<float>()[static_cast<size_t>(i % outs)];
    y[static_cast<size_t>(i)] = std::clamp(sum, range.min, range.max);
  }
}

void fully_connected_s8(Call& call) {
  const int64_t outs = call.in[1].shape()[0], depth = call.in[1].shape()[1], n = call.in[0].shape()[0];
  const auto x = call.in[0].data<int8_t>(), w = call.in[1].data<int8_t>();
  const auto multipliers = ops::fully_connected_multipliers(call.graph, call.node);
  const auto range = ops::activation_range(ops::fused_activation(call.node), call.output_value().quant, DType::s8);
  const bool once = call.numerics == ops::Numerics::litert2 && call.node.rule == graph::NodeRule::model;
  const auto rounding = once ? ops::requantize_once : ops::requantize;
  const int32_t weight_zero = ops::weight_zero_point(call.graph, call.node);
  auto y = call.out.mutable_data<int8_t>();
  for (int64_t i = 0; i < n * outs; ++i) {
    const auto o = static_cast<size_t>(i % outs);
    int32_t sum = call.has(2) ? call.in[2].data<int32_t>()[o] : 0;
    for (int64_t d = 0; d < depth; ++d) sum += (x[static_cast<size_t>(i / outs * depth + d)] - call.input_zero_point()) * (w[o * static_cast<size_t>(depth) + static_cast<size_t>(d)] - weight_zero);
    const int32_t scaled = rounding(sum, multipliers[multipliers.size() == 1 ? 0 : o]);
    y[static_cast<size_t>(i)] = static_cast<int8_t>(std::clamp(scaled + call.output_zero_point(), range.min, range.max));
  }
}

}  // namespace

void fully_connected(Call& call) { call.is_float() ? fully_connected_f32(call) : fully_connected_s8(call); }

}  // namespace kinglet::reference
