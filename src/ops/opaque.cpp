#include "ops/op_info.h"

namespace kinglet::ops {

namespace {
/// Whatever the file said its outputs are.
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  std::vector<ValueType> types;
  for (auto v : node.outputs) types.push_back({graph.value(v).dtype, graph.value(v).shape});
  return types;
}
}  // namespace

extern const OpInfo kOpaqueInfo;
const OpInfo kOpaqueInfo{.min_inputs = 0, .max_inputs = 1 << 16, .activation_inputs = -1, .infer = infer, .quant = {}};

}  // namespace kinglet::ops
