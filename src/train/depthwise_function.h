// A depthwise convolution as a torch operation whose weights' gradient is our own; forward and the gradient of x are torch's.
#pragma once

#include <ATen/ATen.h>

#include "ops/geometry.h"

namespace kinglet::train {

/// Whether apply_depthwise takes these: float32 on the CPU, one output channel an input channel.
bool takes_depthwise(const at::Tensor& nchw, const at::Tensor& oihw);

/// `nchw` in channels-last memory, padded alike on both sides by the window.
at::Tensor apply_depthwise(const at::Tensor& nchw, const at::Tensor& oihw, const ops::Window& window);

}  // namespace kinglet::train
