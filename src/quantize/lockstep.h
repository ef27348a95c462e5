// Walks a float graph and its int8 twin node by node on the same pictures: measures each layer's error, and corrects the
// biases on the way, so that a later layer sees what the corrected ones give.
#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "graph/graph.h"
#include "quantize/quantize.h"

namespace kinglet::quantize {

struct LockstepOptions {
  bool bias_correction = true;
};

/// `int8_graph` is convert(float_graph, ...): the same nodes and ValueIds. Its biases change when corrected. The batches are
/// float; they hold at most as many pictures as memory allows (lockstep_pictures).
std::vector<LayerReport> walk(const graph::Graph& float_graph, graph::Graph& int8_graph, std::span<const Tensor> batches, const LockstepOptions& options,
                              ThreadPool& pool, const ProgressCallback& progress = {});

/// How many pictures can be walked at once: at most `wanted`, fewer for large activations (about 512 MB in all).
int lockstep_pictures(const graph::Graph& graph, int wanted);

}  // namespace kinglet::quantize
