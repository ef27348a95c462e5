#include "ops/cost.h"

#include <algorithm>
#include <set>

#include "ops/op_info.h"

namespace kinglet::ops {

namespace {

/// The 3 of x + 3: part of a formula, not learnt.
bool is_number(const graph::Node& node, const graph::Value& value) {
  return (node.op == graph::OpKind::Add || node.op == graph::OpKind::Mul) && value.shape.elements() == 1;
}

/// Weights, biases, gamma and beta; not running statistics (inputs 3 and 4 of a BatchNorm), shape or axis constants, plain numbers.
std::set<graph::ValueId> parameter_values(const graph::Graph& graph) {
  std::set<graph::ValueId> params;
  for (const auto& node : graph.nodes()) {
    const size_t last = node.op == graph::OpKind::BatchNorm ? 3 : node.inputs.size();
    for (size_t i = 0; i < std::min(last, node.inputs.size()); ++i)
      if (node.inputs[i] != graph::kNone && graph.value(node.inputs[i]).is_constant() && !is_number(node, graph.value(node.inputs[i])))
        params.insert(node.inputs[i]);
  }
  return params;
}

int64_t bytes_of(const graph::Value& value) { return value.shape.elements() * static_cast<int64_t>(dtype_bytes(value.dtype)); }

int64_t peak_bytes(const graph::Graph& graph) {
  std::vector<int> last_use(graph.values().size(), -1);
  for (int i = 0; i < graph.node_count(); ++i)
    for (auto v : graph.node(i).inputs)
      if (v != graph::kNone) last_use[static_cast<size_t>(v)] = i;
  for (auto v : graph.outputs) last_use[static_cast<size_t>(v)] = graph.node_count();
  int64_t live = 0;
  for (auto v : graph.inputs) live += bytes_of(graph.value(v));
  int64_t peak = live;
  for (int i = 0; i < graph.node_count(); ++i) {
    for (auto v : graph.node(i).outputs) live += bytes_of(graph.value(v));
    peak = std::max(peak, live);
    std::set<graph::ValueId> mentioned(graph.node(i).inputs.begin(), graph.node(i).inputs.end());
    mentioned.insert(graph.node(i).outputs.begin(), graph.node(i).outputs.end());
    for (auto v : mentioned)
      if (v != graph::kNone && !graph.value(v).is_constant() && last_use[static_cast<size_t>(v)] <= i) live -= bytes_of(graph.value(v));
  }
  return peak;
}

}  // namespace

int64_t node_macs(const graph::Graph& graph, const graph::Node& node) {
  const auto& info = op_info(node.op);
  return info.macs ? info.macs(graph, node) : 0;
}

Cost cost(const graph::Graph& graph) {
  Cost total;
  for (auto v : parameter_values(graph)) total.params += graph.value(v).shape.elements();
  for (const auto& node : graph.nodes()) total.macs += node_macs(graph, node);
  total.peak_activation_bytes = peak_bytes(graph);
  return total;
}

}  // namespace kinglet::ops
