#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_value(graph, node, 0);
  const auto& a = node.as<graph::PadAttrs>();
  const auto rank = static_cast<size_t>(x.shape.rank());
  if (a.before.size() != rank || a.after.size() != rank) refuse(node, "needs one pair of paddings an axis");
  Shape out = x.shape;
  for (size_t i = 0; i < rank; ++i) {
    constexpr int kLimit = 1 << 16;
    if (a.before[i] < 0 || a.after[i] < 0 || a.before[i] > kLimit || a.after[i] > kLimit) refuse(node, "has an impossible padding");
    if (i == 0 && (a.before[i] || a.after[i])) refuse(node, "pads the batch");
    out[static_cast<int>(i)] += a.before[i] + a.after[i];
  }
  return {{x.dtype, out}};
}
}  // namespace

extern const OpInfo kPadInfo;
const OpInfo kPadInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
