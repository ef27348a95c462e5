// What our own kernels see of a torch tensor, and torch's threads for them.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "train/pixel_kernels.h"

namespace kinglet::train {

inline void torch_parallel_for(int64_t n, const std::function<void(int64_t, int64_t)>& body) { at::parallel_for(0, n, 1, body); }

/// `nhwc` is contiguous float32 on the CPU.
inline Pixels pixels_of(const at::Tensor& nhwc) { return {nhwc.data_ptr<float>(), nhwc.numel() / nhwc.size(-1), static_cast<int>(nhwc.size(-1))}; }

}  // namespace kinglet::train
