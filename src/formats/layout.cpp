#include "formats/layout.h"

#include <array>
#include <numeric>

namespace kinglet::formats {

Order identity(int rank) {
  Order order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Order inverse(const Order& order) {
  Order back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int>(i);
  return back;
}

Shape permuted(const Shape& shape, const Order& order) {
  Shape out = shape;
  for (size_t i = 0; i < order.size(); ++i) out[static_cast<int>(i)] = shape[order[i]];
  return out;
}

namespace {

/// Walks the target in its own sequence; the source's place moves along by strides, so nothing is divided.
template <class T>
void copy_permuted(const Tensor& tensor, std::span<const int64_t> strides, const Shape& to, Tensor& out) {
  const auto* from = reinterpret_cast<const T*>(tensor.bytes().data());
  auto* target = reinterpret_cast<T*>(out.mutable_bytes().data());
  const int last = to.rank() - 1;
  std::array<int64_t, Shape::kMaxRank> index{};
  int64_t at = 0;
  for (int64_t done = 0; done < tensor.elements(); done += to[last]) {
    for (int64_t i = 0; i < to[last]; ++i) *target++ = from[at + i * strides[static_cast<size_t>(last)]];
    for (int axis = last - 1; axis >= 0; --axis) {
      const auto a = static_cast<size_t>(axis);
      at += strides[a];
      if (++index[a] < to[axis]) break;
      at -= strides[a] * to[axis];
      index[a] = 0;
    }
  }
}

}  // namespace

Tensor permuted(const Tensor& tensor, const Order& order) {
  if (order == identity(tensor.shape().rank())) return tensor;
  const Shape &from = tensor.shape(), to = permuted(from, order);
  std::vector<int64_t> own(order.size(), 1), strides(order.size());
  for (int i = from.rank() - 2; i >= 0; --i) own[static_cast<size_t>(i)] = own[static_cast<size_t>(i) + 1] * from[i + 1];
  for (size_t i = 0; i < order.size(); ++i) strides[i] = own[static_cast<size_t>(order[i])];
  Tensor out(tensor.dtype(), to);
  switch (dtype_bytes(tensor.dtype())) {
    case 1: return copy_permuted<uint8_t>(tensor, strides, to, out), out;
    case 2: return copy_permuted<uint16_t>(tensor, strides, to, out), out;
    case 4: return copy_permuted<uint32_t>(tensor, strides, to, out), out;
    default: return copy_permuted<uint64_t>(tensor, strides, to, out), out;
  }
}

bool same_sequence(const Shape& file_shape, const Order& a, const Order& b) {
  auto kept = [&](const Order& order) {
    Order list;
    for (int axis : order)
      if (axis == 0 || file_shape[axis] != 1) list.push_back(axis);
    return list;
  };
  return kept(a) == kept(b);
}

}  // namespace kinglet::formats
