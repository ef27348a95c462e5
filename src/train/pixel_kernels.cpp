#include "train/pixel_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/vector_clones.h"

namespace kinglet::train {

namespace {

using graph::Activation;

constexpr int64_t kBlockRows = 128;
constexpr int64_t kParts = 16;
constexpr int kLanes = 16;

using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

int padded(int columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

/// rows x columns as floats with columns filled up to whole vectors.
std::vector<float> pack(std::span<const double> matrix, int rows, int columns) {
  std::vector<float> out(static_cast<size_t>(rows) * padded(columns), 0.0f);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) out[static_cast<size_t>(r * padded(columns) + c)] = static_cast<float>(matrix[static_cast<size_t>(r * columns + c)]);
  return out;
}

std::vector<float> pack_transposed(std::span<const double> matrix, int rows, int columns) {
  std::vector<double> turned(matrix.size());
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) turned[static_cast<size_t>(c * rows + r)] = matrix[static_cast<size_t>(r * columns + c)];
  return pack(turned, columns, rows);
}

/// Rows with their columns filled up to whole vectors, one block at a time.
struct Block {
  explicit Block(int columns) : stride(padded(columns)), data(static_cast<size_t>(kBlockRows) * stride, 0.0f) {}
  int stride;
  std::vector<float> data;
};

KINGLET_CLONES void copy_shifted(const float* x, const float* shift, int64_t rows, int columns, int stride, float* out) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) out[r * stride + c] = x[r * columns + c] - shift[c];
}

KINGLET_CLONES void copy_masked(const float* dy, const float* y, float high, int64_t rows, int columns, int stride, float* out) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = y[r * columns + c];
      out[r * stride + c] = (value > 0.0f) & (value < high) ? dy[r * columns + c] : 0.0f;
    }
}

KINGLET_CLONES void add_columns(const float* x, int64_t rows, int columns, int stride, float* sums) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) sums[c] += x[r * stride + c];
}

/// out (x_columns x y_stride) += x^T y: eight rows of the result stay in registers over the block.
KINGLET_CLONES void add_outer(const float* x, int x_columns, int x_stride, const float* y, int y_stride, int64_t rows, float* out) {
  for (int j = 0; j < y_stride; j += kLanes) {
    int i = 0;
    for (; i + 8 <= x_columns; i += 8) {
      Lanes s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
      for (int64_t r = 0; r < rows; ++r) {
        const float* xr = x + r * x_stride + i;
        const Lanes v = *reinterpret_cast<const Lanes*>(y + r * y_stride + j);
        s0 += xr[0] * v, s1 += xr[1] * v, s2 += xr[2] * v, s3 += xr[3] * v;
        s4 += xr[4] * v, s5 += xr[5] * v, s6 += xr[6] * v, s7 += xr[7] * v;
      }
      const Lanes sums[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
      for (int k = 0; k < 8; ++k) *reinterpret_cast<Lanes*>(out + static_cast<int64_t>(i + k) * y_stride + j) += sums[k];
    }
    for (; i < x_columns; ++i)
      for (int64_t r = 0; r < rows; ++r)
        *reinterpret_cast<Lanes*>(out + static_cast<int64_t>(i) * y_stride + j) += x[r * x_stride + i] * *reinterpret_cast<const Lanes*>(y + r * y_stride + j);
  }
}

/// out (rows x out_stride) += x m, m k x out_stride: eight rows at a time share each row of m.
KINGLET_CLONES void add_product(const float* x, int k, int x_stride, const float* m, int out_stride, int64_t rows, float* out) {
  for (int j = 0; j < out_stride; j += kLanes) {
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) {
      const float* xr = x + r * x_stride;
      float* o = out + r * out_stride + j;
      Lanes s[8];
      for (int t = 0; t < 8; ++t) s[t] = *reinterpret_cast<const Lanes*>(o + t * out_stride);
      Lanes s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3], s4 = s[4], s5 = s[5], s6 = s[6], s7 = s[7];
      for (int l = 0; l < k; ++l) {
        const Lanes v = *reinterpret_cast<const Lanes*>(m + l * out_stride + j);
        s0 += xr[l] * v, s1 += xr[x_stride + l] * v, s2 += xr[2 * x_stride + l] * v, s3 += xr[3 * x_stride + l] * v;
        s4 += xr[4 * x_stride + l] * v, s5 += xr[5 * x_stride + l] * v, s6 += xr[6 * x_stride + l] * v, s7 += xr[7 * x_stride + l] * v;
      }
      const Lanes sums[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
      for (int t = 0; t < 8; ++t) *reinterpret_cast<Lanes*>(o + t * out_stride) = sums[t];
    }
    for (; r < rows; ++r)
      for (int l = 0; l < k; ++l)
        *reinterpret_cast<Lanes*>(out + r * out_stride + j) += x[r * x_stride + l] * *reinterpret_cast<const Lanes*>(m + l * out_stride + j);
  }
}

KINGLET_CLONES void store_clamped(const float* x, int stride, float low, float high, int64_t rows, int columns, float* out) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = x[r * stride + c];
      const float floored = value < low ? low : value;
      out[r * columns + c] = floored > high ? high : floored;
    }
}

KINGLET_CLONES void add_moments(const float* x, const float* centre, int64_t rows, int columns, float* sums, float* squares) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = x[r * columns + c] - centre[c];
      sums[c] += value;
      squares[c] += value * value;
    }
}

KINGLET_CLONES void scale_rows(const float* x, const float* scale, const float* offset, float low, float high, int64_t rows, int columns, float* y) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = x[r * columns + c] * scale[c] + offset[c];
      const float floored = value < low ? low : value;
      y[r * columns + c] = floored > high ? high : floored;
    }
}

/// Where `gate` lies strictly inside the range, dy passes.
KINGLET_CLONES void add_scaled(const float* dy, const float* gate, float low, float high, const float* x, const float* centre, int64_t rows, int columns,
                               float* sums, float* products) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = gate[r * columns + c], d = (value > low) & (value < high) ? dy[r * columns + c] : 0.0f;
      sums[c] += d;
      products[c] += d * (x[r * columns + c] - centre[c]);
    }
}

KINGLET_CLONES void scale_back(const float* dy, const float* gate, float low, float high, const float* x, const float* scale, const float* slope,
                               const float* offset, int64_t rows, int columns, float* dx) {
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int c = 0; c < columns; ++c) {
      const float value = gate[r * columns + c], d = (value > low) & (value < high) ? dy[r * columns + c] : 0.0f;
      dx[r * columns + c] = scale[c] * d + slope[c] * x[r * columns + c] + offset[c];
    }
}

void fill_rows(const std::vector<float>& row, int64_t rows, int stride, float* out) {
  for (int64_t r = 0; r < rows; ++r) std::memcpy(out + r * stride, row.data(), static_cast<size_t>(stride) * sizeof(float));
}

struct Range {
  float low, high;
};
Range range_of(Activation activation) {
  if (activation == Activation::relu) return {0.0f, INFINITY};
  if (activation == Activation::relu6) return {0.0f, 6.0f};
  return {-INFINITY, INFINITY};
}

/// What decides whether dy passes: y, or without an activation x, which the endless range holds; not dy, whose NaN must pass on.
const float* gate_of(const MaskedGradient& d, Pixels x) { return d.activation == Activation::none ? x.data : d.y; }

int64_t blocks(int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }
int64_t block_rows(int64_t rows, int64_t block) { return std::min(kBlockRows, rows - block * kBlockRows); }

/// body(first row, rows, sums) a block; the sums of the fixed parts are added in order.
template <class Sum = float, class MakeBody>
std::vector<double> sum_blocks(int64_t rows, size_t size, const ParallelFor& parallel_for, const MakeBody& make_body) {
  std::vector<std::vector<double>> parts(kParts, std::vector<double>(size, 0.0));
  parallel_for(kParts, [&](int64_t begin, int64_t end) {
    auto body = make_body();
    std::vector<Sum> sums(size);
    for (int64_t part = begin; part < end; ++part)
      for (int64_t b = blocks(rows) * part / kParts; b < blocks(rows) * (part + 1) / kParts; ++b) {
        std::fill(sums.begin(), sums.end(), Sum{0});
        body(b * kBlockRows, block_rows(rows, b), sums.data());
        for (size_t i = 0; i < size; ++i) parts[static_cast<size_t>(part)][i] += sums[i];
      }
  });
  for (size_t part = 1; part < kParts; ++part)
    for (size_t i = 0; i < size; ++i) parts[0][i] += parts[part][i];
  return parts[0];
}

std::vector<double> unpadded(std::span<const double> matrix, int rows, int columns) {
  std::vector<double> out;
  for (int r = 0; r < rows; ++r) out.insert(out.end(), matrix.begin() + r * padded(columns), matrix.begin() + r * padded(columns) + columns);
  return out;
}

/// The block's rows of d, or a copy of dy where there is no activation.
void load_gradient(const MaskedGradient& d, int64_t first, int64_t rows, Block& out) {
  const int c = d.dy.columns;
  const float* dy = d.dy.data + first * c;
  if (d.activation != Activation::none) return copy_masked(dy, d.y + first * c, range_of(d.activation).high, rows, c, out.stride, out.data.data());
  for (int64_t r = 0; r < rows; ++r) std::memcpy(&out.data[static_cast<size_t>(r * out.stride)], dy + r * c, static_cast<size_t>(c) * sizeof(float));
}

}  // namespace

std::vector<double> pixel_mean(Pixels z, const ParallelFor& parallel_for) {
  auto sums = sum_blocks(z.rows, static_cast<size_t>(z.columns), parallel_for, [&] {
    return [&](int64_t first, int64_t n, float* out) { add_columns(z.data + first * z.columns, n, z.columns, z.columns, out); };
  });
  for (double& s : sums) s /= double(z.rows);
  return sums;
}

std::vector<double> pixel_covariance(Pixels z, std::span<const double> mean, const ParallelFor& parallel_for) {
  // What rounding the mean to float leaves changes the result by less than eps^2 of the mean's square.
  const std::vector<float> shift(mean.begin(), mean.end());
  const auto sums = sum_blocks(z.rows, static_cast<size_t>(z.columns) * padded(z.columns), parallel_for, [&] {
    return [&, block = Block(z.columns)](int64_t first, int64_t n, float* out) mutable {
      copy_shifted(z.data + first * z.columns, shift.data(), n, z.columns, block.stride, block.data.data());
      add_outer(block.data.data(), z.columns, block.stride, block.data.data(), block.stride, n, out);
    };
  });
  auto covariance = unpadded(sums, z.columns, z.columns);
  for (double& s : covariance) s /= double(z.rows);
  return covariance;
}

void map_pixels(Pixels z, std::span<const double> matrix, std::span<const double> offset, Activation activation, float* y,
                const ParallelFor& parallel_for) {
  const int c = static_cast<int>(offset.size());
  const auto m = pack_transposed(matrix, c, z.columns);
  const auto row = pack(offset, 1, c);
  const Range range = range_of(activation);
  parallel_for(blocks(z.rows), [&](int64_t begin, int64_t end) {
    Block block(c);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * kBlockRows, n = block_rows(z.rows, b);
      fill_rows(row, n, block.stride, block.data.data());
      add_product(z.data + first * z.columns, z.columns, z.columns, m.data(), block.stride, n, block.data.data());
      store_clamped(block.data.data(), block.stride, range.low, range.high, n, c, y + first * c);
    }
  });
}

MapSums sum_gradient(const MaskedGradient& d, Pixels z, const ParallelFor& parallel_for) {
  const int c = d.dy.columns, stride = padded(c);
  // z^T d, so that the padded side is d's; its last row holds the sums of d.
  const size_t outer = static_cast<size_t>(z.columns) * stride;
  const auto sums = sum_blocks(z.rows, outer + stride, parallel_for, [&] {
    return [&, block = Block(c)](int64_t first, int64_t n, float* out) mutable {
      load_gradient(d, first, n, block);
      add_outer(z.data + first * z.columns, z.columns, z.columns, block.data.data(), stride, n, out);
      add_columns(block.data.data(), n, c, stride, out + outer);
    };
  });
  MapSums result{std::vector<double>(static_cast<size_t>(c) * z.columns), {sums.begin() + static_cast<int64_t>(outer), sums.begin() + static_cast<int64_t>(outer) + c}};
  for (int i = 0; i < c; ++i)
    for (int j = 0; j < z.columns; ++j) result.matrix[static_cast<size_t>(i * z.columns + j)] = sums[static_cast<size_t>(j * stride + i)];
  return result;
}

void map_gradient(const MaskedGradient& d, std::span<const double> matrix, Pixels z, std::span<const double> through,
                  std::span<const double> offset, float* dz, const ParallelFor& parallel_for) {
  const int c = d.dy.columns, c0 = z.columns;
  const auto m = pack(matrix, c, c0), g = pack_transposed(through, c0, c0), row = pack(offset, 1, c0);
  parallel_for(blocks(z.rows), [&](int64_t begin, int64_t end) {
    Block in(c), out(c0);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * kBlockRows, n = block_rows(z.rows, b);
      load_gradient(d, first, n, in);
      fill_rows(row, n, out.stride, out.data.data());
      add_product(in.data.data(), c, in.stride, m.data(), out.stride, n, out.data.data());
      add_product(z.data + first * c0, c0, c0, g.data(), out.stride, n, out.data.data());
      store_clamped(out.data.data(), out.stride, -INFINITY, INFINITY, n, c0, dz + first * c0);
    }
  });
}

PixelMoments pixel_moments(Pixels x, const ParallelFor& parallel_for) {
  const size_t n = static_cast<size_t>(x.columns);
  // A block's moments are about its own mean, rounded (Chan, Golub and LeVeque 1979), so that nothing cancels in float.
  const auto sums = sum_blocks<double>(x.rows, 2 * n, parallel_for, [&] {
    return [&, centre = std::vector<float>(n), first_moment = std::vector<float>(n), second = std::vector<float>(n)](int64_t first, int64_t rows,
                                                                                                                     double* out) mutable {
      const float* block = x.data + first * x.columns;
      for (auto* zero : {&centre, &first_moment, &second}) std::fill(zero->begin(), zero->end(), 0.0f);
      add_columns(block, rows, x.columns, x.columns, centre.data());
      for (float& c : centre) c /= static_cast<float>(rows);
      add_moments(block, centre.data(), rows, x.columns, first_moment.data(), second.data());
      for (size_t c = 0; c < n; ++c) {
        const double about = centre[c], residual = first_moment[c];
        out[c] = double(rows) * about + residual;
        out[n + c] = second[c] + about * (2 * residual + double(rows) * about);
      }
    };
  });
  PixelMoments moments{std::vector<double>(n), std::vector<double>(n)};
  for (size_t c = 0; c < n; ++c) {
    moments.mean[c] = sums[c] / double(x.rows);
    moments.variance[c] = std::max(0.0, sums[n + c] / double(x.rows) - moments.mean[c] * moments.mean[c]);
  }
  return moments;
}

void scale_pixels(Pixels x, std::span<const float> scale, std::span<const float> offset, Activation activation, float* y, const ParallelFor& parallel_for) {
  const Range range = range_of(activation);
  parallel_for(blocks(x.rows), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kBlockRows, rows = std::min(end * kBlockRows, x.rows) - first;
    scale_rows(x.data + first * x.columns, scale.data(), offset.data(), range.low, range.high, rows, x.columns, y + first * x.columns);
  });
}

ScaleSums sum_scaled_gradient(const MaskedGradient& d, Pixels x, std::span<const float> centre, const ParallelFor& parallel_for) {
  const size_t n = static_cast<size_t>(x.columns);
  const Range range = range_of(d.activation);
  const float* gate = gate_of(d, x);
  const auto sums = sum_blocks(x.rows, 2 * n, parallel_for, [&] {
    return [&](int64_t first, int64_t rows, float* out) {
      const int64_t at = first * x.columns;
      add_scaled(d.dy.data + at, gate + at, range.low, range.high, x.data + at, centre.data(), rows, x.columns, out, out + n);
    };
  });
  const auto middle = sums.begin() + static_cast<int64_t>(n);
  return {{sums.begin(), middle}, {middle, sums.end()}};
}

void scale_gradient(const MaskedGradient& d, Pixels x, std::span<const float> scale, std::span<const float> slope, std::span<const float> offset,
                    float* dx, const ParallelFor& parallel_for) {
  const Range range = range_of(d.activation);
  const float* gate = gate_of(d, x);
  parallel_for(blocks(x.rows), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * kBlockRows * x.columns, rows = std::min(end * kBlockRows, x.rows) - begin * kBlockRows;
    scale_back(d.dy.data + at, gate + at, range.low, range.high, x.data + at, scale.data(), slope.data(), offset.data(), rows, x.columns, dx + at);
  });
}

}  // namespace kinglet::train
