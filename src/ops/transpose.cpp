#include <algorithm>

#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& perm = node.as<graph::TransposeAttrs>().perm;
  const int rank = x.shape.rank();
  if (static_cast<int>(perm.size()) != rank) refuse(node, "orders " + std::to_string(perm.size()) + " axes where the input has " + std::to_string(rank));
  if (rank > 0 && perm[0] != 0) refuse(node, "moves the batch to another axis");
  for (int i = 0; i < rank; ++i)
    if (std::count(perm.begin(), perm.end(), i) != 1) refuse(node, "is no order of the axes: one is missing or named twice");
  Shape out = x.shape;
  for (int i = 0; i < rank; ++i) out[i] = x.shape[perm[static_cast<size_t>(i)]];
  return {{x.dtype, out}};
}
}  // namespace

extern const OpInfo kTransposeInfo;
const OpInfo kTransposeInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
