#include "train/small_matrix.h"

#include <vector>

#include "base/vector_clones.h"

namespace kinglet::train {

namespace {

constexpr size_t kLanes = 8;
using Lanes = double __attribute__((vector_size(kLanes * sizeof(double)), aligned(8), may_alias));

/// c += a b, where a's element (i, l) is a[i * row + l * column]: eight rows of a vector's width stay in registers.
KINGLET_CLONES void add_product(const double* a, size_t row, size_t column, const double* b, double* c, size_t n, size_t k, size_t m) {
  const size_t whole_n = n / 8 * 8, whole_m = m / kLanes * kLanes;
  for (size_t i = 0; i < whole_n; i += 8)
    for (size_t j = 0; j < whole_m; j += kLanes) {
      Lanes s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
      for (size_t l = 0; l < k; ++l) {
        const double* al = a + i * row + l * column;
        const Lanes v = *reinterpret_cast<const Lanes*>(b + l * m + j);
        s0 += al[0] * v, s1 += al[row] * v, s2 += al[2 * row] * v, s3 += al[3 * row] * v;
        s4 += al[4 * row] * v, s5 += al[5 * row] * v, s6 += al[6 * row] * v, s7 += al[7 * row] * v;
      }
      const Lanes sums[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
      for (size_t t = 0; t < 8; ++t) *reinterpret_cast<Lanes*>(c + (i + t) * m + j) += sums[t];
    }
  for (size_t i = 0; i < n; ++i)
    for (size_t l = 0; l < k; ++l) {
      const double factor = a[i * row + l * column];
#pragma GCC ivdep
      for (size_t j = i < whole_n ? whole_m : 0; j < m; ++j) c[i * m + j] += factor * b[l * m + j];
    }
}

}  // namespace

void multiply_add(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) { add_product(a, k, 1, b, c, n, k, m); }

void multiply_add_transposed_left(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) { add_product(a, 1, n, b, c, n, k, m); }

void multiply_add_transposed_right(const double* a, const double* b, double* c, size_t n, size_t k, size_t m) {
  std::vector<double> turned(k * m);
  for (size_t j = 0; j < m; ++j)
    for (size_t l = 0; l < k; ++l) turned[l * m + j] = b[j * k + l];
  add_product(a, k, 1, turned.data(), c, n, k, m);
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
