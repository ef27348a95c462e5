#include "quantize/pictures.h"

#include <algorithm>

#include "base/random.h"
#include "data/preprocess.h"

namespace kinglet::quantize {

std::vector<int64_t> choose_calibration(const data::Dataset& dataset, int n, uint64_t seed) {
  struct Draw {
    int64_t rank_in_class;
    uint64_t hash;
    int64_t index;
  };
  std::vector<Draw> draws(static_cast<size_t>(dataset.size()));
  for (int64_t i = 0; i < dataset.size(); ++i) draws[static_cast<size_t>(i)] = {0, RandomStream(seed, 0, static_cast<uint64_t>(i), Purpose::calibration).bits(), i};
  std::sort(draws.begin(), draws.end(), [](const Draw& a, const Draw& b) { return a.hash < b.hash; });
  std::vector<int64_t> seen;
  for (Draw& draw : draws) {
    const auto label = static_cast<size_t>(std::max(0, dataset.label(draw.index)));
    if (label >= seen.size()) seen.resize(label + 1, 0);
    draw.rank_in_class = seen[label]++;
  }
  std::stable_sort(draws.begin(), draws.end(), [](const Draw& a, const Draw& b) { return a.rank_in_class < b.rank_in_class; });
  draws.resize(std::min(draws.size(), static_cast<size_t>(std::max(n, 0))));
  std::vector<int64_t> indices;
  for (const Draw& draw : draws) indices.push_back(draw.index);
  std::sort(indices.begin(), indices.end());
  return indices;
}

std::vector<Tensor> load_batches(const graph::Model& model, const data::Dataset& dataset, const std::vector<int64_t>& indices, int batch, ThreadPool& pool) {
  const graph::Value& input = model.graph.value(model.graph.inputs.at(0));
  const data::Preprocessor preprocessor(model.input, input);
  const auto total = static_cast<int64_t>(indices.size());
  std::vector<Tensor> batches(static_cast<size_t>((total + batch - 1) / batch));
  pool.parallel_for(static_cast<int64_t>(batches.size()), [&](int64_t b, int) {
    const int64_t first = b * batch, count = std::min<int64_t>(batch, total - first);
    Tensor tensor(input.dtype, input.shape.with_dim(0, count));
    const size_t bytes = preprocessor.tensor_bytes();
    for (int64_t i = 0; i < count; ++i)
      preprocessor.run(dataset.image(indices[static_cast<size_t>(first + i)]), tensor.mutable_bytes().subspan(static_cast<size_t>(i) * bytes, bytes));
    batches[static_cast<size_t>(b)] = std::move(tensor);
  });
  return batches;
}

}  // namespace kinglet::quantize
