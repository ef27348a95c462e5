#include "quantize/calibrate.h"

#include <algorithm>
#include <mutex>

#include "reference/interpreter.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;

/// Observes one batch into `histograms` by value.
void observe_batch(const Graph& graph, const Tensor& batch, std::vector<Histogram>& histograms) {
  histograms[static_cast<size_t>(graph.inputs[0])].observe(batch.data<float>());
  reference::RunOptions options;
  options.tap = [&](const graph::Node& node, std::span<const Tensor> outputs) {
    histograms[static_cast<size_t>(node.outputs[0])].observe(outputs[0].data<float>());
  };
  reference::run(graph, std::span(&batch, 1), options);
}

std::vector<Histogram> observe_all(const Graph& graph, std::span<const Tensor> batches, ThreadPool& pool, const ProgressCallback& progress) {
  std::vector<Histogram> total(graph.values().size());
  std::mutex mutex;
  int64_t done = 0, pictures = 0;
  for (const Tensor& batch : batches) pictures += batch.shape()[0];
  pool.parallel_for(static_cast<int64_t>(batches.size()), [&](int64_t i, int) {
    std::vector<Histogram> own(graph.values().size());
    const Tensor& batch = batches[static_cast<size_t>(i)];
    observe_batch(graph, batch, own);
    const std::lock_guard lock(mutex);
    for (size_t v = 0; v < own.size(); ++v) total[v].merge(own[v]);
    done += batch.shape()[0];
    if (progress) progress({"calibrate", done, pictures, "pictures"});
  });
  for (size_t v = 0; v < total.size(); ++v) {
    const auto& value = graph.values()[v];
    if (value.is_constant() && value.dtype == DType::f32) total[v].observe(value.constant->data<float>());
  }
  return total;
}

}  // namespace

Calibration calibrate(const Graph& graph, const Prepared& prepared, std::span<const Tensor> batches, Observer observer, double percentile, ThreadPool& pool,
                      const ProgressCallback& progress) {
  const std::vector<Histogram> histograms = observe_all(graph, batches, pool, progress);
  std::vector<ops::FloatRange> possible(histograms.size(), ops::activation_range(graph::Activation::none));
  for (const auto& node : graph.nodes()) possible[static_cast<size_t>(node.outputs[0])] = possible_range(node);

  Calibration result;
  std::vector<Range> ranges(static_cast<size_t>(prepared.groups()));
  for (size_t v = 0; v < histograms.size(); ++v) {
    result.observed.push_back(histograms[v].extremes());
    if (prepared.group[v] < 0) continue;
    const bool whole = graph.values()[v].is_constant();
    const Range seen = whole ? histograms[v].extremes() : histograms[v].range(observer, percentile);
    const double low = possible[v].min, high = possible[v].max;
    Range& range = ranges[static_cast<size_t>(prepared.group[v])];
    range = unite(range, {std::clamp(seen.min, low, high), std::clamp(seen.max, low, high)});
  }
  for (size_t v = 0; v < histograms.size(); ++v) {
    const int g = prepared.group[v];
    if (g < 0) result.params.emplace_back();
    else result.params.push_back(prepared.fixed[static_cast<size_t>(g)].value_or(asymmetric_params(ranges[static_cast<size_t>(g)])));
  }
  return result;
}

}  // namespace kinglet::quantize
