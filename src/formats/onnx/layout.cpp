#include "formats/onnx/layout.h"

#include <cstring>
#include <numeric>

namespace kinglet::formats::onnx {

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

Tensor permuted(const Tensor& tensor, const Order& order) {
  if (order == identity(tensor.shape().rank())) return tensor;
  const Shape &from = tensor.shape(), to = permuted(from, order);
  std::vector<int64_t> strides(order.size(), 1);  // of the source, by its own axes
  for (int i = from.rank() - 2; i >= 0; --i) strides[static_cast<size_t>(i)] = strides[static_cast<size_t>(i) + 1] * from[i + 1];
  const size_t size = dtype_bytes(tensor.dtype());
  Tensor out(tensor.dtype(), to);
  auto target = out.mutable_bytes();
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    int64_t rest = i, at = 0;
    for (int axis = to.rank() - 1; axis >= 0; --axis) {
      at += rest % to[axis] * strides[static_cast<size_t>(order[static_cast<size_t>(axis)])];
      rest /= to[axis];
    }
    std::memcpy(&target[static_cast<size_t>(i) * size], &tensor.bytes()[static_cast<size_t>(at) * size], size);
  }
  return out;
}

bool same_sequence(const Shape& onnx_shape, const Order& a, const Order& b) {
  auto kept = [&](const Order& order) {
    Order list;
    for (int axis : order)
      if (axis == 0 || onnx_shape[axis] != 1) list.push_back(axis);
    return list;
  };
  return kept(a) == kept(b);
}

}  // namespace kinglet::formats::onnx
