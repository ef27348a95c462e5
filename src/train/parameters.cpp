#include "train/parameters.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace kinglet::train {

namespace {

using graph::Graph;
using graph::ValueId;

void append(const Graph& graph, ValueId id, std::vector<ParameterSlot>& slots, std::vector<float>& into) {
  const graph::Value& value = graph.value(id);
  const auto data = value.constant->data<float>();
  slots.push_back({id, value.name, static_cast<int64_t>(into.size()), static_cast<int64_t>(data.size()), value.shape.rank() >= 2});
  into.insert(into.end(), data.begin(), data.end());
}

const ParameterSlot* find_in(const std::vector<ParameterSlot>& slots, ValueId id) {
  const auto it = std::lower_bound(slots.begin(), slots.end(), id, [](const ParameterSlot& slot, ValueId v) { return slot.value < v; });
  return it != slots.end() && it->value == id ? &*it : nullptr;
}

void store_in(Graph& graph, const std::vector<ParameterSlot>& slots, const std::vector<float>& from) {
  for (const ParameterSlot& slot : slots)
    std::copy_n(from.begin() + slot.offset, slot.size, graph.value(slot.value).constant->mutable_data<float>().begin());
}

}  // namespace

Parameters::Parameters(const Graph& graph) {
  std::set<ValueId> running;
  for (const auto& node : graph.nodes())
    if (node.op == graph::OpKind::BatchNorm) running.insert({node.inputs[3], node.inputs[4]});
  for (ValueId id = 0; id < graph.value_count(); ++id) {
    const graph::Value& value = graph.value(id);
    if (!value.is_constant() || value.dtype != DType::f32) continue;
    if (running.count(id)) append(graph, id, statistic_slots_, statistics);
    else if (value.trainable) append(graph, id, slots_, values);
  }
  gradients.assign(values.size(), 0.0f);
}

const ParameterSlot* Parameters::find(ValueId id) const { return find_in(slots_, id); }
const ParameterSlot* Parameters::find_statistic(ValueId id) const { return find_in(statistic_slots_, id); }

void Parameters::store(Graph& graph, const std::vector<float>& new_values, const std::vector<float>& new_statistics) const {
  KINGLET_CHECK(new_values.size() == values.size() && new_statistics.size() == statistics.size());
  store_in(graph, slots_, new_values);
  store_in(graph, statistic_slots_, new_statistics);
}

}  // namespace kinglet::train
