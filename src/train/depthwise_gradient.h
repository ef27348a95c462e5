// The gradient of a depthwise convolution's weights. Libraries turn it into one small matrix product a channel where the
// picture is a pixel or four wide, a hundred times slower than the sums themselves.
#pragma once

#include <cstdint>

#include "ops/geometry.h"
#include "train/pixel_kernels.h"

namespace kinglet::train {

/// weights[ky][kx][c] = sum over pictures, rows and columns of x at (row * stride + ky * dilation - pad, ...) times dy, in
/// NHWC float32: x pictures x in_h x in_w x channels, dy pictures x out_h x out_w x channels. Sums of at most a sixteenth of
/// the pictures are in float, their sum in double, in an order that does not depend on the number of threads.
void depthwise_weight_gradient(const float* x, const float* dy, int64_t pictures, int channels, const ops::Window& window, float* weights,
                               const ParallelFor& parallel_for);

}  // namespace kinglet::train
