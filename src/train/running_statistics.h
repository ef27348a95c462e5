// How a training step moves the running statistics of a BatchNorm (as torch.nn.BatchNorm2d does).
#pragma once

#include <cstdint>

namespace kinglet::train {

/// By how much the variance of a sample of `rows` is below that of what it is drawn from.
inline double unbiased_factor(int64_t rows) { return rows > 1 ? double(rows) / double(rows - 1) : 1.0; }

/// `running` by the share `momentum` of the way to `batch`.
inline void move_running(float& running, double batch, double momentum) { running = static_cast<float>(running + momentum * (batch - running)); }

}  // namespace kinglet::train
