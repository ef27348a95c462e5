#include <algorithm>
#include <cmath>

#include "ops/fixed_point.h"
#include "ops/op_info.h"
#include "reference/kernels.h"

namespace kinglet::reference {

namespace {

/// Index into `shape` of the output element with coordinates of flat index `i` in `out`, by NumPy's broadcasting.
size_t broadcast_index(int64_t i, const Shape& out, const Shape& shape) {
  int64_t index = 0, stride = 1;
  for (int axis = out.rank() - 1; axis >= 0; --axis) {
    const int64_t at = i % out[axis];
    i /= out[axis];
    const int own = axis - (out.rank() - shape.rank());
    if (own < 0) continue;
    if (shape[own] != 1) index += at * stride;
    stride *= shape[own];
  }
  return static_cast<size_t>(index);
}

/// out[i] = combine(a, b) over the broadcast pairs.
template <class T, class Combine>
void broadcast(Call& call, Combine&& combine) {
  const auto a = call.in[0].data<T>(), b = call.in[1].data<T>();
  auto out = call.out.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    out[i] = combine(a[broadcast_index(at, call.out.shape(), call.in[0].shape())], b[broadcast_index(at, call.out.shape(), call.in[1].shape())]);
  }
}

ops::ClampRange integer_range(const Call& call) {
  return ops::activation_range(ops::fused_activation(call.node), call.output_value().quant, call.output_value().dtype);
}

template <class Map>
void map_f32(Call& call, Map&& map) {
  const auto x = call.in[0].data<float>();
  auto y = call.out.mutable_data<float>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = map(x[i]);
}

}  // namespace

void add(Call& call) {
  if (call.is_float()) {
    const auto range = ops::activation_range(ops::fused_activation(call.node));
    return broadcast<float>(call, [&](float a, float b) { return std::clamp(a + b, range.min, range.max); });
  }
  const auto p = ops::add_params(call.input_scale(0), call.input_scale(1), call.output_scale());
  const auto range = integer_range(call);
  broadcast<int8_t>(call, [&](int8_t a, int8_t b) {
    const int32_t left = ops::requantize((a - call.input_zero_point(0)) * (1 << p.left_shift), p.input[0]);
    const int32_t right = ops::requantize((b - call.input_zero_point(1)) * (1 << p.left_shift), p.input[1]);
    return static_cast<int8_t>(std::clamp(ops::requantize(left + right, p.output) + call.output_zero_point(), range.min, range.max));
  });
}

void mul(Call& call) {
  if (call.is_float()) {
    const auto range = ops::activation_range(ops::fused_activation(call.node));
    return broadcast<float>(call, [&](float a, float b) { return std::clamp(a * b, range.min, range.max); });
  }
  const auto m = ops::mul_multiplier(call.input_scale(0), call.input_scale(1), call.output_scale(), call.numerics);
  const auto range = integer_range(call);
  broadcast<int8_t>(call, [&](int8_t a, int8_t b) {
    const int32_t product = (a - call.input_zero_point(0)) * (b - call.input_zero_point(1));
    return static_cast<int8_t>(std::clamp(ops::requantize(product, m) + call.output_zero_point(), range.min, range.max));
  });
}

void relu(Call& call) {
  const auto kind = call.node.op == graph::OpKind::Relu6 ? graph::Activation::relu6 : graph::Activation::relu;
  if (call.is_float()) {
    const auto range = ops::activation_range(kind);
    return map_f32(call, [&](float x) { return std::clamp(x, range.min, range.max); });
  }
  const auto m = ops::quantize_multiplier(double{call.input_scale()} / double{call.output_scale()});
  const auto range = ops::activation_range(kind, call.output_value().quant, DType::s8);
  const auto x = call.in[0].data<int8_t>();
  auto y = call.out.mutable_data<int8_t>();
  for (size_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<int8_t>(std::clamp(ops::requantize(x[i] - call.input_zero_point(), m) + call.output_zero_point(), range.min, range.max));
}

void logistic(Call& call) {
  if (call.is_float()) return map_f32(call, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
  const auto table = ops::logistic_table_s8(call.input_value(0).quant, call.output_value().quant);
  const auto x = call.in[0].data<int8_t>();
  auto y = call.out.mutable_data<int8_t>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = table[static_cast<size_t>(x[i] + 128)];
}

void hard_swish(Call& call) {
  if (call.is_float()) return map_f32(call, [](float x) { return x * std::clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f; });
  const auto table = ops::hard_swish_table_s8(call.input_value(0).quant, call.output_value().quant);
  const auto x = call.in[0].data<int8_t>();
  auto y = call.out.mutable_data<int8_t>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = table[static_cast<size_t>(x[i] + 128)];
}

namespace {

template <class To>
void quantize_f32(Call& call) {
  const auto x = call.in[0].data<float>();
  auto y = call.out.mutable_data<To>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<To>(ops::quantize_value(x[i], call.output_scale(), call.output_zero_point(), dtype_of<To>()));
}

/// Integer to integer: the multiplier is scale_in / scale_out; equal scales only move the zero point.
template <class From, class To>
void requantize_all(Call& call) {
  const auto m = ops::quantize_multiplier(double{call.input_scale()} / double{call.output_scale()});
  const auto range = ops::activation_range(graph::Activation::none, call.output_value().quant, dtype_of<To>());
  const auto x = call.in[0].data<From>();
  auto y = call.out.mutable_data<To>();
  for (size_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<To>(std::clamp(ops::requantize(x[i] - call.input_zero_point(), m) + call.output_zero_point(), range.min, range.max));
}

template <class From>
void dequantize_all(Call& call) {
  const auto x = call.in[0].data<From>();
  auto y = call.out.mutable_data<float>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(x[i] - call.input_zero_point()) * call.input_scale();
}

template <class To>
void quantize_to(Call& call) {
  if (call.is_float()) return quantize_f32<To>(call);
  call.in[0].dtype() == DType::s8 ? requantize_all<int8_t, To>(call) : requantize_all<uint8_t, To>(call);
}

}  // namespace

void quantize(Call& call) { call.out.dtype() == DType::s8 ? quantize_to<int8_t>(call) : quantize_to<uint8_t>(call); }
void dequantize(Call& call) { call.in[0].dtype() == DType::s8 ? dequantize_all<int8_t>(call) : dequantize_all<uint8_t>(call); }

void batch_norm(Call& call) {
  const auto x = call.in[0].data<float>(), gamma = call.in[1].data<float>(), beta = call.in[2].data<float>();
  const auto mean = call.in[3].data<float>(), variance = call.in[4].data<float>();
  const float eps = call.node.as<graph::BatchNormAttrs>().eps;
  auto y = call.out.mutable_data<float>();
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t c = i % gamma.size();
    y[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + eps) * gamma[c] + beta[c];
  }
}

void fake_quantize(Call& call) {
  const auto& a = call.node.as<graph::FakeQuantizeAttrs>();
  const auto x = call.in[0].data<float>();
  auto y = call.out.mutable_data<float>();
  int64_t inner = 1;
  for (int axis = a.axis + 1; a.axis >= 0 && axis < call.out.shape().rank(); ++axis) inner *= call.out.shape()[axis];
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t c = a.axis < 0 ? 0 : i / static_cast<size_t>(inner) % a.scale.size();
    const float q = std::clamp(std::round(x[i] / a.scale[c]) + static_cast<float>(a.zero_point[c]), static_cast<float>(a.quant_min), static_cast<float>(a.quant_max));
    y[i] = (q - static_cast<float>(a.zero_point[c])) * a.scale[c];
  }
}

}  // namespace kinglet::reference
