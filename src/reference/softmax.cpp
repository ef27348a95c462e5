#include <algorithm>
#include <cmath>

#include "reference/kernels.h"

namespace kinglet::reference {

namespace {
void softmax_row(const float* x, float* y, int64_t n, float beta) {
  const float max = *std::max_element(x, x + n);
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += y[i] = std::exp((x[i] - max) * beta);
  for (int64_t i = 0; i < n; ++i) y[i] /= sum;
}
}  // namespace

void softmax(Call& call) {
  const int64_t n = call.out.shape().back(), rows = call.out.elements() / std::max<int64_t>(n, 1);
  const float beta = call.node.as<graph::SoftmaxAttrs>().beta;
  if (call.is_float()) {
    for (int64_t r = 0; r < rows; ++r) softmax_row(&call.in[0].data<float>()[static_cast<size_t>(r * n)], &call.out.mutable_data<float>()[static_cast<size_t>(r * n)], n, beta);
    return;
  }
  const auto table = ops::softmax_table(beta, call.input_scale());
  for (int64_t r = 0; r < rows; ++r)
    ops::softmax_row_s8(table, &call.in[0].data<int8_t>()[static_cast<size_t>(r * n)], &call.out.mutable_data<int8_t>()[static_cast<size_t>(r * n)], static_cast<int>(n));
}

}  // namespace kinglet::reference
