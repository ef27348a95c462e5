// What a network costs: parameters, multiply-accumulates, activation memory. FLOPs are 2 x MACs and never printed unspelled.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace kinglet::ops {

struct Cost {
  int64_t params = 0;        ///< weight, bias and normalization elements, trainable or not, running statistics excluded
  int64_t macs = 0;          ///< for one picture, of the graph as it stands
  int64_t peak_activation_bytes = 0;  ///< largest sum of live activations over the steps in order, inputs and outputs included
};

Cost cost(const graph::Graph& graph);
int64_t node_macs(const graph::Graph& graph, const graph::Node& node);

}  // namespace kinglet::ops
