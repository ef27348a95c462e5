// Operators that move values and compute none, and the one that counts them.
#include <algorithm>
#include <array>
#include <cstring>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "reference/kernels.h"

namespace kinglet::reference {

namespace {

using Place = std::array<int64_t, Shape::kMaxRank>;

Place place_of(int64_t index, const Shape& shape) {
  Place at{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) at[static_cast<size_t>(axis)] = index % shape[axis], index /= shape[axis];
  return at;
}

int64_t index_of(const Place& at, const Shape& shape) {
  int64_t index = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) index = index * shape[axis] + at[static_cast<size_t>(axis)];
  return index;
}

/// Element `from` of x becomes element `to` of y.
void move(const Tensor& x, int64_t from, Tensor& y, int64_t to) {
  const size_t size = dtype_bytes(y.dtype());
  std::memcpy(&y.mutable_bytes()[static_cast<size_t>(to) * size], &x.bytes()[static_cast<size_t>(from) * size], size);
}

/// Each element of the output is the one of input 0 that source(its place) names.
template <class Source>
void gather(Call& call, Source&& source) {
  for (int64_t i = 0; i < call.out.elements(); ++i)
    move(call.in[0], index_of(source(place_of(i, call.out.shape())), call.in[0].shape()), call.out, i);
}

}  // namespace

void pad(Call& call) {
  const auto& a = call.node.as<graph::PadAttrs>();
  if (dtype_bytes(call.out.dtype()) == 1) std::memset(call.out.mutable_bytes().data(), call.output_zero_point() & 0xFF, call.out.size_bytes());
  for (int64_t i = 0; i < call.in[0].elements(); ++i) {
    Place at = place_of(i, call.in[0].shape());
    for (size_t axis = 0; axis < a.before.size(); ++axis) at[axis] += a.before[axis];
    move(call.in[0], i, call.out, index_of(at, call.out.shape()));
  }
}

void transpose(Call& call) {
  ops::check_same_grid(call.graph, call.node);
  const auto& perm = call.node.as<graph::TransposeAttrs>().perm;
  gather(call, [&](const Place& at) {
    Place from{};
    for (size_t axis = 0; axis < perm.size(); ++axis) from[static_cast<size_t>(perm[axis])] = at[axis];
    return from;
  });
}

void concatenation(Call& call) {
  ops::check_same_grid(call.graph, call.node);
  const auto axis = static_cast<size_t>(call.node.as<graph::ConcatenationAttrs>().axis);
  int64_t before = 0;
  for (const Tensor& x : call.in) {
    for (int64_t i = 0; i < x.elements(); ++i) {
      Place at = place_of(i, x.shape());
      at[axis] += before;
      move(x, i, call.out, index_of(at, call.out.shape()));
    }
    before += x.shape()[static_cast<int>(axis)];
  }
}

void strided_slice(Call& call) {
  ops::check_same_grid(call.graph, call.node);
  const auto& a = call.node.as<graph::StridedSliceAttrs>();
  gather(call, [&](const Place& at) {
    Place from{};
    for (size_t axis = 0, own = 0; axis < a.begin.size(); ++axis) {
      const bool dropped = std::find(a.drop.begin(), a.drop.end(), static_cast<int>(axis)) != a.drop.end();
      from[axis] = a.begin[axis] + (dropped ? 0 : at[own++] * a.stride[axis]);
    }
    return from;
  });
}

void resize_nearest(Call& call) {
  ops::check_same_grid(call.graph, call.node);
  const auto& a = call.node.as<graph::ResizeNearestAttrs>();
  const Shape& xs = call.in[0].shape();
  const auto rows = ops::nearest_sources(static_cast<int>(xs[1]), a.out_h, a.align_corners, a.half_pixel);
  const auto columns = ops::nearest_sources(static_cast<int>(xs[2]), a.out_w, a.align_corners, a.half_pixel);
  gather(call, [&](Place at) {
    at[1] = rows[static_cast<size_t>(at[1])], at[2] = columns[static_cast<size_t>(at[2])];
    return at;
  });
}

namespace {

template <class T>
int64_t largest_index(const Tensor& x, Place at, size_t axis) {
  int64_t best = 0;
  T largest{};
  for (int64_t i = 0; i < x.shape()[static_cast<int>(axis)]; ++i) {
    at[axis] = i;
    const T value = x.data<T>()[static_cast<size_t>(index_of(at, x.shape()))];
    if (i == 0 || value > largest) best = i, largest = value;
  }
  return best;
}

}  // namespace

void arg_max(Call& call) {
  const auto& a = call.node.as<graph::ArgMaxAttrs>();
  const auto axis = static_cast<size_t>(a.axis);
  for (int64_t i = 0; i < call.out.elements(); ++i) {
    Place at = place_of(i, call.out.shape());
    std::copy_backward(at.begin() + a.axis, at.end() - 1, at.end());
    const int64_t best = call.is_float() ? largest_index<float>(call.in[0], at, axis) : largest_index<int8_t>(call.in[0], at, axis);
    if (a.wide) call.out.mutable_data<int64_t>()[static_cast<size_t>(i)] = best;
    else call.out.mutable_data<int32_t>()[static_cast<size_t>(i)] = static_cast<int32_t>(best);
  }
}

}  // namespace kinglet::reference
