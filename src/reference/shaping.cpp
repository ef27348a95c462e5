#include <algorithm>
#include <cstring>

#include "reference/kernels.h"

namespace kinglet::reference {

void pad(Call& call) {
  const auto& a = call.node.as<graph::PadAttrs>();
  const Shape &xs = call.in[0].shape(), &ys = call.out.shape();
  const size_t size = dtype_bytes(call.out.dtype());
  const auto x = call.in[0].bytes();
  auto y = call.out.mutable_bytes();
  if (size == 1) std::memset(y.data(), call.output_zero_point() & 0xFF, y.size());
  for (int64_t i = 0; i < call.in[0].elements(); ++i) {
    int64_t rest = i, index = 0, stride = 1;
    for (int axis = xs.rank() - 1; axis >= 0; --axis) {
      index += (rest % xs[axis] + a.before[static_cast<size_t>(axis)]) * stride;
      rest /= xs[axis];
      stride *= ys[axis];
    }
    std::memcpy(&y[static_cast<size_t>(index) * size], &x[static_cast<size_t>(i) * size], size);
  }
}

}  // namespace kinglet::reference
