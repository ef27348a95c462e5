#include "graph/graph.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"

namespace kinglet::graph {

ValueId Graph::add_value(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size()) - 1;
}

ValueId Graph::add_constant(std::string name, Tensor tensor, bool trainable) {
  Value value;
  value.name = std::move(name);
  value.dtype = tensor.dtype();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
  value.trainable = trainable;
  return add_value(std::move(value));
}

NodeIndex Graph::add_node(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<NodeIndex>(nodes_.size()) - 1;
}

std::vector<NodeIndex> Graph::producers() const {
  std::vector<NodeIndex> made(values_.size(), kNone);
  for (NodeIndex i = 0; i < node_count(); ++i)
    for (ValueId v : node(i).outputs) made.at(static_cast<size_t>(v)) = i;
  return made;
}

std::vector<std::vector<NodeIndex>> Graph::users() const {
  std::vector<std::vector<NodeIndex>> read(values_.size());
  for (NodeIndex i = 0; i < node_count(); ++i)
    for (ValueId v : node(i).inputs)
      if (v != kNone) read.at(static_cast<size_t>(v)).push_back(i);
  return read;
}

bool Graph::is_output(ValueId id) const { return std::find(outputs.begin(), outputs.end(), id) != outputs.end(); }

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes_) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::erase_nodes(const std::function<bool(const Node&)>& doomed) { std::erase_if(nodes_, doomed); }

void Graph::remove_unused() {
  std::vector<bool> live(values_.size(), false);
  for (ValueId v : outputs) live[static_cast<size_t>(v)] = true;
  for (size_t i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    if (std::none_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return live[static_cast<size_t>(v)]; })) {
      node.outputs.clear();  // marks the node as dead
      continue;
    }
    for (ValueId v : node.outputs) live[static_cast<size_t>(v)] = true;
    for (ValueId v : node.inputs)
      if (v != kNone) live[static_cast<size_t>(v)] = true;
  }
  for (ValueId v : inputs) live[static_cast<size_t>(v)] = true;
  std::erase_if(nodes_, [](const Node& node) { return node.outputs.empty(); });

  std::vector<ValueId> renamed(values_.size(), kNone);
  std::vector<Value> kept;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (!live[i]) continue;
    renamed[i] = static_cast<ValueId>(kept.size());
    kept.push_back(std::move(values_[i]));
  }
  values_ = std::move(kept);
  auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& v : ids)
      if (v != kNone) v = renamed[static_cast<size_t>(v)];
  };
  for (Node& node : nodes_) rename(node.inputs), rename(node.outputs);
  rename(inputs), rename(outputs);
}

std::string Graph::unique_name(const std::string& base) const {
  std::unordered_set<std::string_view> taken;
  for (const Value& value : values_) taken.insert(value.name);
  if (!taken.count(base)) return base;
  for (int i = 1;; ++i) {
    std::string name = base + "_" + std::to_string(i);
    if (!taken.count(name)) return name;
  }
}

std::string describe(const Node& node) {
  std::string text(op_name(node.op));
  if (!node.name.empty()) text += " '" + node.name + "'";
  return node.origin.empty() ? text : node.origin + ": " + text;
}

}  // namespace kinglet::graph
