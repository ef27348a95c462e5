#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "ops/cost.h"
#include "ops/geometry.h"
#include "ops/op_info.h"
#include "passes/linear_map.h"
#include "passes/passes.h"

namespace kinglet::passes {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::PaddingMode;
using graph::ValueId;

bool is_plain_convolution(const Graph& graph, const Node& node, int dilation_h, int dilation_w) {
  const bool bias_ok = node.inputs.size() < 3 || node.inputs[2] == kNone || is_float_constant(graph, node.inputs[2]);
  return dilation_h == 1 && dilation_w == 1 && is_float_constant(graph, node.inputs[1]) && bias_ok;
}

/// Operators that a LinearMap can take in.
bool is_linear(const Graph& graph, const Node& node) {
  if (graph.value(node.outputs[0]).shape.rank() != 4 || graph.value(node.outputs[0]).dtype != DType::f32) return false;
  if (ops::fused_activation(node) != graph::Activation::none) return false;
  switch (node.op) {
    case OpKind::Conv2d: {
      const auto& a = node.as<graph::Conv2dAttrs>();
      return is_plain_convolution(graph, node, a.dilation_h, a.dilation_w);
    }
    case OpKind::DepthwiseConv2d: {
      const auto& a = node.as<graph::DepthwiseConv2dAttrs>();
      return a.multiplier == 1 && is_plain_convolution(graph, node, a.dilation_h, a.dilation_w);
    }
    case OpKind::BatchNorm: return true;
    case OpKind::Add:
      return graph.value(node.inputs[0]).shape == graph.value(node.inputs[1]).shape && !graph.value(node.inputs[0]).is_constant() &&
             !graph.value(node.inputs[1]).is_constant();
    default: return false;
  }
}

int activation_inputs(const Node& node) { return node.op == OpKind::Add ? 2 : 1; }

/// The folder of one graph; an object of it lives for one fold, since a fold renumbers nodes.
class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), producers_(graph.producers()), users_(graph.users()) {
    for (const Node& node : graph.nodes()) linear_.push_back(is_linear(graph, node));
  }

  /// Folds the largest region that ends in the node; false with a note when none can be folded.
  bool fold_into(NodeIndex sink, std::vector<std::string>& notes) {
    if (!linear_[static_cast<size_t>(sink)]) return false;
    std::optional<std::string> refusal;
    for (ValueId source : candidate_sources(sink)) {
      const auto region = region_between(source, sink);
      if (!region || region->size() < 2) continue;
      const int64_t removed = removed_cost(*region, sink);
      if (least_cost(*region, source, sink) > removed) continue;
      const auto map = map_of(graph_.node(sink).outputs[0], source);
      if (!map) {
        if (!refusal) refusal = reason_;
        continue;
      }
      const auto padding = padding_for(*map, source, sink, *region);
      if (!padding || cost_of(*map, sink) > removed) continue;
      replace(*map, *padding, source, sink, *region);
      return true;
    }
    if (refusal && std::find(notes.begin(), notes.end(), *refusal) == notes.end()) notes.push_back(*refusal);
    return false;
  }

 private:
  NodeIndex producer(ValueId v) const { return producers_[static_cast<size_t>(v)]; }

  /// Every value that a walk back from the sink over linear nodes meets, the earliest made first.
  std::vector<ValueId> candidate_sources(NodeIndex sink) const {
    std::set<std::pair<NodeIndex, ValueId>> met;
    std::vector<NodeIndex> walk{sink};
    while (!walk.empty()) {
      const Node& node = graph_.node(walk.back());
      walk.pop_back();
      for (int i = 0; i < activation_inputs(node); ++i) {
        const ValueId v = node.inputs[static_cast<size_t>(i)];
        const NodeIndex p = producer(v);
        if (met.insert({p, v}).second && p != kNone && linear_[static_cast<size_t>(p)]) walk.push_back(p);
      }
    }
    std::vector<ValueId> values;
    for (const auto& [index, value] : met) values.push_back(value);
    return values;
  }

  /// The nodes between, ascending; nothing when some path leaves the linear nodes without meeting the source.
  std::optional<std::set<NodeIndex>> region_between(ValueId source, NodeIndex sink) const {
    std::set<NodeIndex> region{sink};
    std::vector<NodeIndex> walk{sink};
    while (!walk.empty()) {
      const Node& node = graph_.node(walk.back());
      walk.pop_back();
      for (int i = 0; i < activation_inputs(node); ++i) {
        const ValueId v = node.inputs[static_cast<size_t>(i)];
        if (v == source) continue;
        const NodeIndex p = producer(v);
        if (p == kNone || !linear_[static_cast<size_t>(p)]) return std::nullopt;
        if (region.insert(p).second) walk.push_back(p);
      }
    }
    return region;
  }

  const LinearMap* map_of(ValueId value, ValueId source) {
    if (source != source_) maps_.clear(), source_ = source;
    if (auto it = maps_.find(value); it != maps_.end()) return &it->second;
    if (value == source) return &(maps_[value] = identity_map(static_cast<int>(graph_.value(value).shape[3])));
    const Node& node = graph_.node(producer(value));
    MapOrReason result = step(node, source);
    if (auto* why = std::get_if<std::string>(&result)) {
      if (!why->empty()) reason_ = describe(node) + " is not folded: " + *why;
      return nullptr;
    }
    return &(maps_[value] = std::move(std::get<LinearMap>(result)));
  }

  /// The map of a node from those of its inputs; an empty reason when an input's own reason stands.
  MapOrReason step(const Node& node, ValueId source) {
    const LinearMap* a = map_of(node.inputs[0], source);
    if (!a) return std::string();
    if (node.op == OpKind::Add) {
      const LinearMap* b = map_of(node.inputs[1], source);
      return b ? add(*a, *b) : MapOrReason(std::string());
    }
    return compose(node.op == OpKind::BatchNorm ? affine_map(batch_norm_affine(graph_, node)) : convolution_map(graph_, node), *a);
  }

  int64_t elements(NodeIndex node) const { return graph_.value(graph_.node(node).outputs[0]).shape.elements(); }

  int64_t cost_of(const LinearMap& map, NodeIndex sink) const {
    return elements(sink) * map.kernel_h * map.kernel_w * (map.diagonal ? 1 : map.in_channels);
  }

  /// What a fold costs at least, known without composing it: a full convolution makes the map dense in channels.
  int64_t least_cost(const std::set<NodeIndex>& region, ValueId source, NodeIndex sink) const {
    const bool dense = std::any_of(region.begin(), region.end(), [&](NodeIndex i) { return graph_.node(i).op == OpKind::Conv2d; });
    return elements(sink) * (dense ? graph_.value(source).shape[3] : 1);
  }

  /// What goes away: nodes of the region that nobody outside reads. Sums and normalizations count one an element.
  int64_t removed_cost(const std::set<NodeIndex>& region, NodeIndex sink) const {
    std::set<NodeIndex> dead{sink};
    int64_t cost = 0;
    for (auto it = region.rbegin(); it != region.rend(); ++it) {
      const ValueId v = graph_.node(*it).outputs[0];
      const auto& readers = users_[static_cast<size_t>(v)];
      const bool dies = *it == sink || (!graph_.is_output(v) && std::all_of(readers.begin(), readers.end(), [&](NodeIndex n) { return dead.count(n) > 0; }));
      if (!dies) continue;
      dead.insert(*it);
      cost += std::max(ops::node_macs(graph_, graph_.node(*it)), elements(*it));
    }
    return dead.size() < 2 ? 0 : cost;
  }

  /// The padding of a convolution of the region where it gives this window, else the mode that does, else numbers.
  std::optional<graph::Padding> padding_for(const LinearMap& map, ValueId source, NodeIndex sink, const std::set<NodeIndex>& region) const {
    const Shape& x = graph_.value(source).shape;
    const Shape& y = graph_.value(graph_.node(sink).outputs[0]).shape;
    std::vector<graph::Padding> candidates;
    for (NodeIndex i : region)
      if (graph_.node(i).op == OpKind::Conv2d) candidates.push_back(graph_.node(i).as<graph::Conv2dAttrs>().padding);
    candidates.push_back({PaddingMode::valid, 0, 0, 0, 0});
    candidates.push_back({PaddingMode::same, 0, 0, 0, 0});
    candidates.push_back({PaddingMode::explicit_, map.pad_top, map.pad_bottom, map.pad_left, map.pad_right});
    for (const graph::Padding& padding : candidates) {
      const auto w = ops::resolve_window(static_cast<int>(x[1]), static_cast<int>(x[2]), map.kernel_h, map.kernel_w, map.stride_h, map.stride_w, 1, 1, padding);
      if (w.pad_top == map.pad_top && w.pad_left == map.pad_left && w.out_h == y[1] && w.out_w == y[2]) return padding;
    }
    return std::nullopt;
  }

  std::string name_for(const std::set<NodeIndex>& region) const {
    for (NodeIndex i : region)
      if (graph_.node(i).op == OpKind::Conv2d || graph_.node(i).op == OpKind::DepthwiseConv2d) return graph_.node(i).name;
    return graph_.node(*region.rbegin()).name;
  }

  void replace(const LinearMap& map, const graph::Padding& padding, ValueId source, NodeIndex sink, const std::set<NodeIndex>& region) {
    Node node = graph_.node(sink);
    node.name = name_for(region);
    const int64_t o = map.out_channels, i = map.in_channels;
    if (map.diagonal) {
      node.op = OpKind::DepthwiseConv2d;
      node.attrs = graph::DepthwiseConv2dAttrs{map.stride_h, map.stride_w, 1, 1, 1, padding, graph::Activation::none};
    } else {
      node.op = OpKind::Conv2d;
      node.attrs = graph::Conv2dAttrs{map.stride_h, map.stride_w, 1, 1, padding, graph::Activation::none};
    }
    const Shape shape = map.diagonal ? Shape{1, map.kernel_h, map.kernel_w, o} : Shape{o, map.kernel_h, map.kernel_w, i};
    const ValueId w = add_float_constant(graph_, node.name + "_w", shape, map.kernel);
    const ValueId b = add_float_constant(graph_, node.name + "_b", Shape{o}, map.bias);
    node.inputs = {source, w, b};
    graph_.node(sink) = std::move(node);
    graph_.remove_unused();
  }

  Graph& graph_;
  std::vector<NodeIndex> producers_;
  std::vector<std::vector<NodeIndex>> users_;
  std::vector<bool> linear_;
  std::map<ValueId, LinearMap> maps_;
  ValueId source_ = kNone;
  std::string reason_;
};

}  // namespace

void fold_linear_branches(Graph& graph, PassLog& log) {
  // From the last node back, so that the largest region is tried first.
  for (NodeIndex sink = graph.node_count(); sink-- > 0;) {
    if (sink >= graph.node_count() || !Folder(graph).fold_into(sink, log.notes)) continue;
    ++log.changes;
    sink = std::min<NodeIndex>(sink + 1, graph.node_count());
  }
}

}  // namespace kinglet::passes
