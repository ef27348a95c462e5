// The passes over a batch's pixels that affine regions and BatchNorms need, forward and backward: rows are pixels, columns channels,
// float32 in NHWC order. Blocks are summed in float and their sums in double, in an order that does not depend on the
// number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "graph/attrs.h"

namespace kinglet::train {

/// Calls body(begin, end) on parts of [0, n), on as many threads as it likes.
using ParallelFor = std::function<void(int64_t n, const std::function<void(int64_t begin, int64_t end)>& body)>;

struct Pixels {
  const float* data = nullptr;
  int64_t rows = 0;
  int columns = 0;
};

std::vector<double> pixel_mean(Pixels z, const ParallelFor& parallel_for);
/// Sum of (z_r - mean) outer (z_r - mean) over rows, divided by rows.
std::vector<double> pixel_covariance(Pixels z, std::span<const double> mean, const ParallelFor& parallel_for);

/// y = activation(matrix z + offset), matrix y_columns x z.columns.
void map_pixels(Pixels z, std::span<const double> matrix, std::span<const double> offset, graph::Activation activation, float* y,
                const ParallelFor& parallel_for);

/// The gradient of an activation's input: dy where y lies strictly inside the activation's range, else 0.
struct MaskedGradient {
  Pixels dy;
  const float* y = nullptr;
  graph::Activation activation = graph::Activation::none;
};

struct MapSums {
  std::vector<double> matrix, offset;  ///< sum of d outer z, sum of d
};
MapSums sum_gradient(const MaskedGradient& d, Pixels z, const ParallelFor& parallel_for);

/// dz = matrix^T d + through z + offset; `matrix` as in map_pixels, `through` z.columns squared.
void map_gradient(const MaskedGradient& d, std::span<const double> matrix, Pixels z, std::span<const double> through,
                  std::span<const double> offset, float* dz, const ParallelFor& parallel_for);

struct PixelMoments {
  std::vector<double> mean, variance;  ///< by channel; the variance divided by rows
};
PixelMoments pixel_moments(Pixels x, const ParallelFor& parallel_for);

/// y = activation(scale x + offset), by channel.
void scale_pixels(Pixels x, std::span<const float> scale, std::span<const float> offset, graph::Activation activation, float* y,
                  const ParallelFor& parallel_for);

struct ScaleSums {
  std::vector<double> gradient, product;  ///< sum of d, sum of d (x - centre), by channel
};
ScaleSums sum_scaled_gradient(const MaskedGradient& d, Pixels x, std::span<const float> centre, const ParallelFor& parallel_for);

/// dx = scale d + slope x + offset, by channel.
void scale_gradient(const MaskedGradient& d, Pixels x, std::span<const float> scale, std::span<const float> slope, std::span<const float> offset,
                    float* dx, const ParallelFor& parallel_for);

}  // namespace kinglet::train
