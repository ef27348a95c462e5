#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& first = input_value(graph, node, 0);
  const int axis = node.as<graph::ConcatenationAttrs>().axis;
  if (axis < 1 || axis >= first.shape.rank()) refuse(node, "joins along axis " + std::to_string(axis) + " of " + first.shape.batch_str());
  Shape out = first.shape;
  for (int i = 1; i < static_cast<int>(node.inputs.size()); ++i) {
    const auto& x = input_value(graph, node, i);
    if (x.dtype != first.dtype) refuse(node, "has inputs of two data types");
    if (x.shape.rank() != out.rank() || !(x.shape.with_dim(axis, 0) == first.shape.with_dim(axis, 0)))
      refuse(node, "cannot join " + x.shape.batch_str() + " to " + first.shape.batch_str() + " along axis " + std::to_string(axis));
    out[axis] += x.shape[axis];
  }
  out.elements();  // throws when too large
  return {{first.dtype, out}};
}
}  // namespace

extern const OpInfo kConcatenationInfo;
const OpInfo kConcatenationInfo{.max_inputs = 1 << 10, .activation_inputs = -1, .infer = infer, .quant = {QuantKind::group}};

}  // namespace kinglet::ops
