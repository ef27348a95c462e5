// Small random networks that hold every operator TensorFlow Lite and Kinglet share, for comparing engines bit by bit.
#pragma once

#include "graph/model.h"

namespace kinglet::golden {

/// int8 (per-channel convolutions), float32, or uint8: an int8 graph of NodeRule::legacy_u8 that a .tflite says in uint8; sizes with tails, every padding, stride, dilation and fused activation.
/// Each layer is an output of the graph too, so that a difference names its layer. `moves` adds HARD_SWISH, ARG_MAX and the
/// operators that move values.
graph::Model random_model(uint64_t seed, DType dtype, bool moves = false);

}  // namespace kinglet::golden
