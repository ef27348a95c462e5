#include "ops/geometry.h"
#include "ops/rules.h"

namespace kinglet::ops {

namespace {

std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_of_rank(graph, node, 0, 4);
  const auto& w = input_of_rank(graph, node, 1, 4);
  if (w.shape[3] != x.shape[3])
    refuse(node, "has weights for " + std::to_string(w.shape[3]) + " input channels where the input has " + std::to_string(x.shape[3]), "grouped convolutions are not supported");
  check_weights(graph, node, w.shape[0]);
  const Window window = node_window(graph, node);
  return {{x.dtype, Shape{x.shape[0], window.out_h, window.out_w, w.shape[0]}}};
}

int64_t macs(const graph::Graph& graph, const graph::Node& node) {
  const Shape& w = graph.value(node.inputs[1]).shape;
  const Shape& y = graph.value(node.outputs[0]).shape;
  return y[1] * y[2] * w.elements();
}

}  // namespace

extern const OpInfo kConv2dInfo;
const OpInfo kConv2dInfo{.min_inputs = 2, .max_inputs = 3, .infer = infer, .macs = macs, .quant = {}};

}  // namespace kinglet::ops
