// Pictures of a data set as batches of input tensors, and which of them calibrate.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/tensor.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "graph/model.h"

namespace kinglet::quantize {

/// `n` indices (fewer when the set is smaller), the same number of each class as far as there are, drawn by the hash of
/// (seed, picture) and ascending.
std::vector<int64_t> choose_calibration(const data::Dataset& dataset, int n, uint64_t seed);

/// The pictures through the model's input contract as tensors of its input's type, `batch` in each but the last.
std::vector<Tensor> load_batches(const graph::Model& model, const data::Dataset& dataset, const std::vector<int64_t>& indices, int batch, ThreadPool& pool);

}  // namespace kinglet::quantize
