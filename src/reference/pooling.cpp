#include <algorithm>
#include <limits>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "reference/kernels.h"

namespace kinglet::reference {

namespace {

/// For each output element collects the window's values inside the picture: reduce(values so far...) -> T.
template <class T, class Reduce>
void pool(Call& call, Reduce&& reduce) {
  const ops::Window w = ops::node_window(call.graph, call.node);
  const Shape& xs = call.in[0].shape();
  const Shape& ys = call.out.shape();
  const auto x = call.in[0].data<T>();
  auto y = call.out.mutable_data<T>();
  std::vector<T> values;
  for (int64_t i = 0; i < call.out.elements(); ++i) {
    const int64_t c = i % ys[3], ox = i / ys[3] % ys[2], oy = i / (ys[3] * ys[2]) % ys[1], n = i / (ys[3] * ys[2] * ys[1]);
    values.clear();
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < w.kernel_w; ++kx) {
        const int64_t iy = oy * w.stride_h - w.pad_top + ky, ix = ox * w.stride_w - w.pad_left + kx;
        if (iy >= 0 && iy < w.in_h && ix >= 0 && ix < w.in_w) values.push_back(x[static_cast<size_t>(((n * xs[1] + iy) * xs[2] + ix) * xs[3] + c)]);
      }
    y[static_cast<size_t>(i)] = reduce(values);
  }
}

/// Half away from zero, as the int8 reference kernels divide.
int32_t rounded_quotient(int32_t sum, int32_t count) { return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count; }

/// Half up, as the uint8 ones divide sums of bytes.
int32_t quotient_half_up(int32_t sum, int32_t count) { return (sum + 128 * count + count / 2) / count - 128; }

}  // namespace

void average_pool2d(Call& call) {
  if (call.is_float()) {
    const auto range = ops::activation_range(ops::fused_activation(call.node));
    return pool<float>(call, [&](const std::vector<float>& v) {
      float sum = 0;
      for (float f : v) sum += f;
      return std::clamp(sum / static_cast<float>(v.size()), range.min, range.max);
    });
  }
  const auto range = ops::activation_range(ops::fused_activation(call.node), call.output_value().quant, DType::s8);
  const auto quotient = call.node.rule == graph::NodeRule::legacy_u8 ? quotient_half_up : rounded_quotient;
  pool<int8_t>(call, [&](const std::vector<int8_t>& v) {
    int32_t sum = 0;
    for (int8_t q : v) sum += q;
    return static_cast<int8_t>(std::clamp(quotient(sum, static_cast<int32_t>(v.size())), range.min, range.max));
  });
}

void max_pool2d(Call& call) {
  if (call.is_float()) {
    const auto range = ops::activation_range(ops::fused_activation(call.node));
    return pool<float>(call, [&](const std::vector<float>& v) { return std::clamp(*std::max_element(v.begin(), v.end()), range.min, range.max); });
  }
  const auto range = ops::activation_range(ops::fused_activation(call.node), call.output_value().quant, DType::s8);
  pool<int8_t>(call, [&](const std::vector<int8_t>& v) {
    return static_cast<int8_t>(std::clamp<int32_t>(*std::max_element(v.begin(), v.end()), range.min, range.max));
  });
}

namespace {

/// Adds every input element to the sum of its output element. Sum is float or int32.
template <class T, class Sum>
std::vector<Sum> sums_over_axes(const Call& call) {
  const Shape& xs = call.in[0].shape();
  const auto& axes = call.node.as<graph::MeanAttrs>().axes;
  const auto x = call.in[0].data<T>();
  std::vector<Sum> sums(static_cast<size_t>(call.out.elements()));
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), index = 0, stride = 1;
    for (int axis = xs.rank() - 1; axis >= 0; --axis) {
      const int64_t at = rest % xs[axis];
      rest /= xs[axis];
      if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
      index += at * stride;
      stride *= xs[axis];
    }
    sums[static_cast<size_t>(index)] += x[i];
  }
  return sums;
}

}  // namespace

void mean(Call& call) {
  const int64_t count = call.in[0].elements() / std::max<int64_t>(call.out.elements(), 1);
  if (call.is_float()) {
    const auto sums = sums_over_axes<float, float>(call);
    auto y = call.out.mutable_data<float>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = sums[i] / static_cast<float>(count);
    return;
  }
  const auto sums = sums_over_axes<int8_t, int32_t>(call);
  const auto m = ops::mean_multiplier(call.input_scale(), call.output_scale(), count);
  const int32_t offset = call.input_zero_point() * static_cast<int32_t>(count);
  auto y = call.out.mutable_data<int8_t>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<int8_t>(std::clamp(ops::requantize(sums[i] - offset, m) + call.output_zero_point(), -128, 127));
}

}  // namespace kinglet::reference
