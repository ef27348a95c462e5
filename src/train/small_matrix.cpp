#include "train/small_matrix.h"

#include "base/vector_clones.h"

namespace kinglet::train {

KINGLET_CLONES void multiply_add(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) {
  for (size_t i = 0; i < n; ++i)
    for (size_t l = 0; l < k; ++l) {
      const double factor = a[i * k + l];
#pragma GCC ivdep
      for (size_t j = 0; j < m; ++j) c[i * m + j] += factor * b[l * m + j];
    }
}

KINGLET_CLONES void multiply_add_transposed_left(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) {
  for (size_t l = 0; l < k; ++l)
    for (size_t i = 0; i < n; ++i) {
      const double factor = a[l * n + i];
#pragma GCC ivdep
      for (size_t j = 0; j < m; ++j) c[i * m + j] += factor * b[l * m + j];
    }
}

KINGLET_CLONES void multiply_add_transposed_right(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) {
      double sums[8] = {};
      size_t l = 0;
      for (; l + 8 <= k; l += 8)
        for (size_t s = 0; s < 8; ++s) sums[s] += a[i * k + l + s] * b[j * k + l + s];
      double sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
      for (; l < k; ++l) sum += a[i * k + l] * b[j * k + l];
      c[i * m + j] += sum;
    }
}

KINGLET_CLONES double dot(const double* a, const double* b, size_t n) {
  double sums[8] = {};
  size_t l = 0;
  for (; l + 8 <= n; l += 8)
    for (size_t s = 0; s < 8; ++s) sums[s] += a[l + s] * b[l + s];
  double sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
  for (; l < n; ++l) sum += a[l] * b[l];
  return sum;
}

}  // namespace kinglet::train
