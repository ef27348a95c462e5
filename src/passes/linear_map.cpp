#include "passes/linear_map.h"

#include <algorithm>

#include "base/error.h"
#include "base/vector_clones.h"
#include "ops/geometry.h"

namespace kinglet::passes {

namespace {

size_t taps(const LinearMap& m) { return static_cast<size_t>(m.kernel_h) * static_cast<size_t>(m.kernel_w); }

LinearMap same_window(const LinearMap& m) {
  LinearMap result = m;
  result.kernel.clear();
  result.bias.assign(static_cast<size_t>(m.out_channels), 0.0);
  return result;
}

/// The window and channels of outer after inner; one of the two has a 1x1 kernel.
LinearMap composed_window(const LinearMap& outer, const LinearMap& inner) {
  LinearMap result = same_window(outer.pointwise() ? inner : outer);
  result.out_channels = outer.out_channels;
  result.in_channels = inner.in_channels;
  result.stride_h = outer.stride_h * inner.stride_h;
  result.stride_w = outer.stride_w * inner.stride_w;
  result.diagonal = outer.diagonal && inner.diagonal;
  result.bias = outer.bias;
  return result;
}

LinearMap compose_diagonal(const LinearMap& outer, const LinearMap& inner) {
  LinearMap result = composed_window(outer, inner);
  const size_t channels = static_cast<size_t>(result.out_channels), n = taps(result) * channels;
  result.kernel.resize(n);
  for (size_t i = 0; i < n; ++i)
    result.kernel[i] = outer.kernel[outer.pointwise() ? i % channels : i] * inner.kernel[outer.pointwise() ? i : i % channels];
  for (size_t i = 0; i < outer.kernel.size(); ++i) result.bias[i % channels] += outer.kernel[i] * inner.bias[i % channels];
  return result;
}

/// to += the sum over m of weights[m] x row m; rows lie `stride` apart. Terms are added in order of m whatever the width, so the
/// sums are the same on every machine; four rows at a time save loads of `to`.
KINGLET_CLONES void add_weighted_rows(const double* weights, const double* rows, size_t count, size_t stride, size_t n, double* to) {
  size_t m = 0;
  for (; m + 4 <= count; m += 4) {
    const double w0 = weights[m], w1 = weights[m + 1], w2 = weights[m + 2], w3 = weights[m + 3];
    const double *r0 = rows + m * stride, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;
#pragma GCC ivdep
    for (size_t i = 0; i < n; ++i) to[i] = (((to[i] + w0 * r0[i]) + w1 * r1[i]) + w2 * r2[i]) + w3 * r3[i];
  }
  for (; m < count; ++m)
    for (size_t i = 0; i < n; ++i) to[i] += weights[m] * rows[m * stride + i];
}

/// Kernel entries: OHWI tensors are [o][tap][i], diagonal ones [tap][channel]. A step of 0 stays at the only tap of a 1x1 kernel.
size_t step(const LinearMap& m) { return taps(m) == 1 ? 0 : 1; }

/// What a dense outer makes of inner's bias.
void add_inner_bias(const LinearMap& outer, const LinearMap& inner, LinearMap& result) {
  const size_t mids = static_cast<size_t>(inner.out_channels);
  const double* weight = outer.kernel.data();
  for (double& sum : result.bias)
    for (size_t t = 0; t < taps(outer); ++t)
      for (size_t m = 0; m < mids; ++m) sum += *weight++ * inner.bias[m];
}

LinearMap compose_dense(const LinearMap& outer, const LinearMap& inner) {
  LinearMap result = composed_window(outer, inner);
  const size_t outs = static_cast<size_t>(outer.out_channels), mids = static_cast<size_t>(inner.out_channels);
  const size_t ins = static_cast<size_t>(inner.in_channels), n = taps(result);
  result.kernel.assign(outs * n * ins, 0.0);
  for (size_t o = 0; o < outs; ++o)
    for (size_t t = 0; t < n; ++t)
      add_weighted_rows(&outer.kernel[(o * taps(outer) + t * step(outer)) * mids], &inner.kernel[t * step(inner) * ins], mids, taps(inner) * ins, ins, &result.kernel[(o * n + t) * ins]);
  add_inner_bias(outer, inner, result);
  return result;
}

/// Columns of outer are scaled. Products are added to 0, as the sums of compose_dense are.
LinearMap compose_with_diagonal_inner(const LinearMap& outer, const LinearMap& inner) {
  LinearMap result = composed_window(outer, inner);
  const size_t outs = static_cast<size_t>(outer.out_channels), ins = static_cast<size_t>(inner.in_channels), n = taps(result);
  result.kernel.assign(outs * n * ins, 0.0);
  for (size_t o = 0; o < outs; ++o)
    for (size_t t = 0; t < n; ++t)
      for (size_t i = 0; i < ins; ++i) result.kernel[(o * n + t) * ins + i] += outer.kernel[(o * taps(outer) + t * step(outer)) * ins + i] * inner.kernel[t * step(inner) * ins + i];
  add_inner_bias(outer, inner, result);
  return result;
}

/// Rows of inner are scaled.
LinearMap compose_with_diagonal_outer(const LinearMap& outer, const LinearMap& inner) {
  LinearMap result = composed_window(outer, inner);
  const size_t outs = static_cast<size_t>(outer.out_channels), ins = static_cast<size_t>(inner.in_channels), n = taps(result);
  result.kernel.assign(outs * n * ins, 0.0);
  for (size_t o = 0; o < outs; ++o)
    for (size_t t = 0; t < n; ++t)
      for (size_t i = 0; i < ins; ++i) result.kernel[(o * n + t) * ins + i] += outer.kernel[t * step(outer) * outs + o] * inner.kernel[(o * taps(inner) + t * step(inner)) * ins + i];
  for (size_t o = 0; o < outs; ++o)
    for (size_t t = 0; t < taps(outer); ++t) result.bias[o] += outer.kernel[t * outs + o] * inner.bias[o];
  return result;
}

bool all_zero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0.0; });
}

/// Adds `from`'s kernel into `to`'s, whose window contains it.
void accumulate(LinearMap& to, const LinearMap& from) {
  const int dy = to.pad_top - from.pad_top, dx = to.pad_left - from.pad_left;
  const size_t row = to.diagonal ? 1 : static_cast<size_t>(to.in_channels);
  const size_t outer = to.diagonal ? 1 : static_cast<size_t>(to.out_channels);
  const size_t inner = to.diagonal ? static_cast<size_t>(to.out_channels) : row;
  for (size_t o = 0; o < outer; ++o)
    for (int y = 0; y < from.kernel_h; ++y)
      for (int x = 0; x < from.kernel_w; ++x) {
        const double* src = &from.kernel[((o * static_cast<size_t>(from.kernel_h) + static_cast<size_t>(y)) * static_cast<size_t>(from.kernel_w) + static_cast<size_t>(x)) * inner];
        double* dst = &to.kernel[((o * static_cast<size_t>(to.kernel_h) + static_cast<size_t>(y + dy)) * static_cast<size_t>(to.kernel_w) + static_cast<size_t>(x + dx)) * inner];
        for (size_t i = 0; i < inner; ++i) dst[i] += src[i];
      }
  for (size_t o = 0; o < to.bias.size(); ++o) to.bias[o] += from.bias[o];
}

LinearMap from_window(const ops::Window& w, int out_channels, int in_channels) {
  LinearMap m;
  m.out_channels = out_channels, m.in_channels = in_channels;
  m.kernel_h = w.kernel_h, m.kernel_w = w.kernel_w, m.stride_h = w.stride_h, m.stride_w = w.stride_w;
  m.pad_top = w.pad_top, m.pad_left = w.pad_left;
  // Only padding that a window really reads counts.
  m.pad_bottom = std::max(0, (w.out_h - 1) * w.stride_h + w.kernel_h - w.in_h - w.pad_top);
  m.pad_right = std::max(0, (w.out_w - 1) * w.stride_w + w.kernel_w - w.in_w - w.pad_left);
  return m;
}

}  // namespace

LinearMap identity_map(int channels) {
  return affine_map({std::vector<double>(static_cast<size_t>(channels), 1.0), std::vector<double>(static_cast<size_t>(channels), 0.0)});
}

LinearMap affine_map(const ChannelAffine& affine) {
  LinearMap m;
  m.out_channels = m.in_channels = static_cast<int>(affine.scale.size());
  m.diagonal = true;
  m.kernel = affine.scale;
  m.bias = affine.shift;
  return m;
}

LinearMap convolution_map(const graph::Graph& graph, const graph::Node& node) {
  const ops::Window window = ops::node_window(graph, node);
  KINGLET_CHECK(window.dilation_h == 1 && window.dilation_w == 1);
  const Shape& x = graph.value(node.inputs[0]).shape;
  const Shape& y = graph.value(node.outputs[0]).shape;
  LinearMap m = from_window(window, static_cast<int>(y[3]), static_cast<int>(x[3]));
  m.diagonal = node.op == graph::OpKind::DepthwiseConv2d;
  KINGLET_CHECK(!m.diagonal || m.in_channels == m.out_channels);
  m.kernel = constant_as_double(graph, node.inputs[1]);
  m.bias.assign(static_cast<size_t>(m.out_channels), 0.0);
  if (node.inputs.size() > 2 && node.inputs[2] != graph::kNone) m.bias = constant_as_double(graph, node.inputs[2]);
  return m;
}

LinearMap dense(const LinearMap& map) {
  if (!map.diagonal) return map;
  LinearMap result = map;
  const size_t channels = static_cast<size_t>(map.out_channels), n = taps(map);
  result.diagonal = false;
  result.kernel.assign(channels * n * channels, 0.0);
  for (size_t t = 0; t < n; ++t)
    for (size_t c = 0; c < channels; ++c) result.kernel[(c * n + t) * channels + c] = map.kernel[t * channels + c];
  return result;
}

MapOrReason compose(const LinearMap& outer, const LinearMap& inner) {
  KINGLET_CHECK(outer.in_channels == inner.out_channels);
  const bool inner_first_is_exact = inner.pointwise() && inner.stride_h == 1 && inner.stride_w == 1;
  if (!outer.pointwise() && !inner_first_is_exact) return std::string("its window would widen the kernel of the convolution before it");
  if (outer.padded() && !all_zero(inner.bias)) return std::string("it pads with zeros after a bias was added, so borders would differ");
  if (outer.diagonal && inner.diagonal) return compose_diagonal(outer, inner);
  if (inner.diagonal) return compose_with_diagonal_inner(outer, inner);
  return outer.diagonal ? compose_with_diagonal_outer(outer, inner) : compose_dense(outer, inner);
}

MapOrReason add(const LinearMap& a, const LinearMap& b) {
  if (a.stride_h != b.stride_h || a.stride_w != b.stride_w) return std::string("its branches have different strides");
  KINGLET_CHECK(a.out_channels == b.out_channels && a.in_channels == b.in_channels);
  if (a.diagonal != b.diagonal) return add(dense(a), dense(b));
  LinearMap sum = same_window(a);
  sum.pad_top = std::max(a.pad_top, b.pad_top), sum.pad_left = std::max(a.pad_left, b.pad_left);
  sum.pad_bottom = std::max(a.pad_bottom, b.pad_bottom), sum.pad_right = std::max(a.pad_right, b.pad_right);
  sum.kernel_h = sum.pad_top + std::max(a.kernel_h - a.pad_top, b.kernel_h - b.pad_top);
  sum.kernel_w = sum.pad_left + std::max(a.kernel_w - a.pad_left, b.kernel_w - b.pad_left);
  sum.kernel.assign(taps(sum) * static_cast<size_t>(sum.out_channels) * (sum.diagonal ? 1 : static_cast<size_t>(sum.in_channels)), 0.0);
  accumulate(sum, a);
  accumulate(sum, b);
  return sum;
}

}  // namespace kinglet::passes
