// Row-major double matrix products of a few dozen rows, as affine regions need them.
#pragma once

#include <cstddef>

namespace kinglet::train {

/// c += a b: a is n x k, b is k x m.
void multiply_add(const double* a, const double* b, double* c, size_t n, size_t k, size_t m);
/// c += a^T b: a is k x n, b is k x m.
void multiply_add_transposed_left(const double* a, const double* b, double* c, size_t n, size_t k, size_t m);
/// c += a b^T: a is n x k, b is m x k.
void multiply_add_transposed_right(const double* a, const double* b, double* c, size_t n, size_t k, size_t m);
double dot(const double* a, const double* b, size_t n);

}  // namespace kinglet::train
