#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& a = node.as<graph::ArgMaxAttrs>();
  if (a.axis < 1 || a.axis >= x.shape.rank()) refuse(node, "looks along axis " + std::to_string(a.axis) + " of " + x.shape.batch_str());
  if (x.shape[a.axis] < 1) refuse(node, "has nothing to choose from");
  std::vector<int64_t> dims(x.shape.dims().begin(), x.shape.dims().end());
  dims.erase(dims.begin() + a.axis);
  return {{a.wide ? DType::s64 : DType::s32, Shape(dims)}};
}
}  // namespace

extern const OpInfo kArgMaxInfo;
const OpInfo kArgMaxInfo{.infer = infer, .quant = {QuantKind::none}};

}  // namespace kinglet::ops
