#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& shape = node.as<graph::ReshapeAttrs>().shape;
  std::vector<int64_t> dims{x.shape.rank() > 0 ? x.shape[0] : 1};
  dims.insert(dims.end(), shape.begin(), shape.end());
  const Shape out(dims);
  if (out.elements() != x.shape.elements()) refuse(node, "cannot reshape " + x.shape.batch_str() + " to " + out.batch_str());
  return {{x.dtype, out}};
}
}  // namespace

extern const OpInfo kReshapeInfo;
const OpInfo kReshapeInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
