// Reductions over the pixels of a batch that affine regions need: rows are pixels, columns channels, in float32 NHWC.
// Blocks are summed in float and their sums in double, in an order that does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace kinglet::train {

/// Calls body(begin, end) on parts of [0, n), on as many threads as it likes.
using ParallelFor = std::function<void(int64_t n, const std::function<void(int64_t begin, int64_t end)>& body)>;

/// Sum of each column of x (rows x columns).
std::vector<double> column_sums(const float* x, int64_t rows, int columns, const ParallelFor& parallel_for);

/// sum over rows of (x_r - shift) outer y_r, x_columns x y_columns row-major; with y == x both are shifted (a covariance
/// when divided by rows). A null shift is zero.
std::vector<double> outer_sums(const float* x, const float* shift, int x_columns, const float* y, int y_columns, int64_t rows,
                               const ParallelFor& parallel_for);

}  // namespace kinglet::train
