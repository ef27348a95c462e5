// Small random networks that hold every operator TensorFlow Lite and Kinglet share, for comparing engines bit by bit.
#pragma once

#include "graph/model.h"

namespace kinglet::golden {

/// int8 (per-channel convolutions) or float32; sizes with tails, every padding, stride, dilation and fused activation.
/// Each layer is an output of the graph too, so that a difference names its layer.
graph::Model random_model(uint64_t seed, DType dtype);

}  // namespace kinglet::golden
