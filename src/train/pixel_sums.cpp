#include "train/pixel_sums.h"

#include <algorithm>

#include "train/vector_clones.h"

namespace kinglet::train {

namespace {

constexpr int64_t kBlockRows = 256;
constexpr int64_t kParts = 16;

KINGLET_CLONES void add_columns(const float* x, int64_t rows, int columns, float* sums) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) sums[c] += x[r * columns + c];
}

KINGLET_CLONES void subtract_row(const float* x, const float* shift, int64_t rows, int columns, float* out) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) out[r * columns + c] = x[r * columns + c] - shift[c];
}

// Four rows of x^T y at a time against every column: each y row is read once for four multiply-adds.
KINGLET_CLONES void add_outer(const float* x, int x_columns, const float* y, int y_columns, int64_t rows, float* out) {
  for (int64_t r = 0; r < rows; r += 4) {
    const int64_t left = std::min<int64_t>(4, rows - r);
    for (int i = 0; i < x_columns; ++i) {
      const float* yr = y + r * y_columns;
      float* o = out + static_cast<int64_t>(i) * y_columns;
      if (left == 4) {
        const float a = x[r * x_columns + i], b = x[(r + 1) * x_columns + i], c = x[(r + 2) * x_columns + i], d = x[(r + 3) * x_columns + i];
#pragma GCC ivdep
        for (int j = 0; j < y_columns; ++j)
          o[j] += a * yr[j] + b * yr[y_columns + j] + (c * yr[2 * y_columns + j] + d * yr[3 * y_columns + j]);
        continue;
      }
      for (int64_t k = 0; k < left; ++k)
        for (int j = 0; j < y_columns; ++j) o[j] += x[(r + k) * x_columns + i] * yr[k * y_columns + j];
    }
  }
}

/// body(first row, rows, sums of the part) for each block; parts are added in order.
std::vector<double> sum_parts(int64_t rows, size_t size, const ParallelFor& parallel_for,
                              const std::function<void(int64_t, int64_t, float*)>& body) {
  std::vector<std::vector<double>> parts(kParts, std::vector<double>(size, 0.0));
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  parallel_for(kParts, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(size);
    for (int64_t part = begin; part < end; ++part)
      for (int64_t block = blocks * part / kParts; block < blocks * (part + 1) / kParts; ++block) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        body(block * kBlockRows, std::min(kBlockRows, rows - block * kBlockRows), sums.data());
        for (size_t i = 0; i < size; ++i) parts[static_cast<size_t>(part)][i] += sums[i];
      }
  });
  for (int64_t part = 1; part < kParts; ++part)
    for (size_t i = 0; i < size; ++i) parts[0][i] += parts[static_cast<size_t>(part)][i];
  return parts[0];
}

}  // namespace

std::vector<double> column_sums(const float* x, int64_t rows, int columns, const ParallelFor& parallel_for) {
  return sum_parts(rows, static_cast<size_t>(columns), parallel_for,
                   [&](int64_t first, int64_t n, float* sums) { add_columns(x + first * columns, n, columns, sums); });
}

std::vector<double> outer_sums(const float* x, const float* shift, int x_columns, const float* y, int y_columns, int64_t rows,
                               const ParallelFor& parallel_for) {
  return sum_parts(rows, static_cast<size_t>(x_columns) * y_columns, parallel_for, [&](int64_t first, int64_t n, float* sums) {
    const float* xb = x + first * x_columns;
    const float* yb = y + first * y_columns;
    if (!shift) return add_outer(xb, x_columns, yb, y_columns, n, sums);
    std::vector<float> centred(static_cast<size_t>(n) * x_columns);
    subtract_row(xb, shift, n, x_columns, centred.data());
    add_outer(centred.data(), x_columns, x == y ? centred.data() : yb, y_columns, n, sums);
  });
}

}  // namespace kinglet::train
