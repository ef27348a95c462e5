#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& a = node.as<graph::MeanAttrs>();
  std::vector<int64_t> dims;
  size_t next = 0;
  for (int i = 0; i < x.shape.rank(); ++i) {
    const bool reduced = next < a.axes.size() && a.axes[next] == i;
    if (reduced) ++next;
    if (reduced && i == 0) refuse(node, "averages over the pictures of a batch");
    if (!reduced) dims.push_back(x.shape[i]);
    else if (a.keep_dims) dims.push_back(1);
  }
  if (next != a.axes.size() || a.axes.empty()) refuse(node, "has axes that are out of range or not ascending");
  return {{x.dtype, Shape(dims)}};
}
}  // namespace

extern const OpInfo kMeanInfo;
const OpInfo kMeanInfo{.infer = infer, .quant = {}};

}  // namespace kinglet::ops
