#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  if (x.dtype != DType::f32) refuse(node, "works on float32 only");
  for (int i = 1; i < 5; ++i) {
    const auto& p = input_of_rank(graph, node, i, 1);
    if (p.shape[0] != x.shape.back() || p.dtype != DType::f32) refuse(node, "has parameters for " + p.shape.str() + " channels where the input has " + std::to_string(x.shape.back()));
  }
  return same_type(graph, node);
}
}  // namespace

extern const OpInfo kBatchNormInfo;
const OpInfo kBatchNormInfo{.min_inputs = 5, .max_inputs = 5, .infer = infer, .quant = {}};

}  // namespace kinglet::ops
