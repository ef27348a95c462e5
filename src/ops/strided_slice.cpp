#include <algorithm>

#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& a = node.as<graph::StridedSliceAttrs>();
  const auto rank = static_cast<size_t>(x.shape.rank());
  if (a.begin.size() != rank || a.end.size() != rank || a.stride.size() != rank) refuse(node, "needs a begin, an end and a stride for each axis");
  std::vector<int64_t> dims;
  size_t dropped = 0;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t size = x.shape[static_cast<int>(i)];
    if (i == 0 && (a.begin[0] != 0 || a.end[0] != 1 || a.stride[0] != 1)) refuse(node, "takes a part of the batch");
    if (a.stride[i] < 1 || a.begin[i] < 0 || a.end[i] > size || a.begin[i] >= a.end[i])
      refuse(node, "takes elements " + std::to_string(a.begin[i]) + " to " + std::to_string(a.end[i]) + " of axis " + std::to_string(i) + ", which has " + std::to_string(size));
    const int64_t taken = (int64_t{a.end[i]} - a.begin[i] + a.stride[i] - 1) / a.stride[i];
    const bool drops = dropped < a.drop.size() && a.drop[dropped] == static_cast<int>(i);
    if (drops && (taken != 1 || i == 0)) refuse(node, "drops axis " + std::to_string(i) + ", of which it does not take one element");
    dropped += drops;
    if (!drops) dims.push_back(taken);
  }
  if (dropped != a.drop.size()) refuse(node, "drops axes that are out of range or not ascending");
  return {{x.dtype, Shape(dims)}};
}
}  // namespace

extern const OpInfo kStridedSliceInfo;
const OpInfo kStridedSliceInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
