// A depthwise convolution as a torch operation whose weights' gradient is our own; forward and the gradient of x are torch's.
#pragma once

#include <ATen/ATen.h>

#include "ops/geometry.h"

namespace kinglet::train {

/// `nchw` is float32 on the CPU in channels-last memory, padded alike on both sides by the window; one output channel an input channel.
at::Tensor apply_depthwise(const at::Tensor& nchw, const at::Tensor& oihw, const ops::Window& window);

}  // namespace kinglet::train
