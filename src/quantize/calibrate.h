// Runs the float graph on calibration pictures and turns what was observed into scales and zero points.
#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "graph/graph.h"
#include "quantize/prepare.h"

namespace kinglet::quantize {

struct Calibration {
  std::vector<graph::QuantParams> params;  ///< of each value; empty where prepare has no group
  std::vector<Range> observed;             ///< of each value, exact extremes
};

/// Float batches of the graph's one input. A group's range is the union of its members' ranges; constants count in full.
Calibration calibrate(const graph::Graph& graph, const Prepared& prepared, std::span<const Tensor> batches, Observer observer, double percentile,
                      ThreadPool& pool, const ProgressCallback& progress = {});

}  // namespace kinglet::quantize
