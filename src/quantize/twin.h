// A folded float model and its freshly converted int8 graph over the same ValueIds: what post-training quantization,
// quantization-aware training and blame all start from.
#pragma once

#include <vector>

#include "base/thread_pool.h"
#include "quantize/quantize.h"

namespace kinglet::quantize {

inline constexpr int kTwinBatch = 8;  ///< pictures in each of Twin::batches but the last

struct Twin {
  graph::Model folded;
  graph::Graph int8;            ///< without borders, before bias correction
  std::vector<Tensor> batches;  ///< calibration pictures as float inputs; any first part of them is spread over the set
  int64_t pictures = 0;
};

/// Checks the options and the split, folds, prepares, calibrates and converts.
Twin make_twin(const graph::Model& float_model, const data::Dataset& calibration, const Options& options, ThreadPool& pool, const ProgressCallback& progress = {});

}  // namespace kinglet::quantize
