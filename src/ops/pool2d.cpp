#include "ops/geometry.h"
#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_of_rank(graph, node, 0, 4);
  const Window window = node_window(graph, node);
  if (window.pad_top >= window.kernel_h || window.pad_left >= window.kernel_w || window.pad_bottom >= window.kernel_h || window.pad_right >= window.kernel_w)
    refuse(node, "has windows that lie in the padding alone");
  return {{x.dtype, Shape{x.shape[0], window.out_h, window.out_w, x.shape[3]}}};
}
}  // namespace

extern const OpInfo kAveragePool2dInfo, kMaxPool2dInfo;
const OpInfo kAveragePool2dInfo{.infer = infer, .quant = {QuantKind::same_as_input}};
const OpInfo kMaxPool2dInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
