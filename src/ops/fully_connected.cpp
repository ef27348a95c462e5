#include "ops/rules.h"

namespace kinglet::ops {

namespace {

std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& w = input_of_rank(graph, node, 1, 2);
  const int64_t depth = x.shape.rank() > 0 && x.shape[0] > 0 ? x.shape.elements() / x.shape[0] : 0;
  if (depth != w.shape[1]) refuse(node, "has weights for " + std::to_string(w.shape[1]) + " inputs where " + std::to_string(depth) + " come in");
  check_weights(graph, node, w.shape[0]);
  return {{x.dtype, Shape{x.shape[0], w.shape[0]}}};
}

int64_t macs(const graph::Graph& graph, const graph::Node& node) { return graph.value(node.inputs[1]).shape.elements(); }

}  // namespace

extern const OpInfo kFullyConnectedInfo;
const OpInfo kFullyConnectedInfo{.min_inputs = 2, .max_inputs = 3, .infer = infer, .macs = macs, .quant = {}};

}  // namespace kinglet::ops
