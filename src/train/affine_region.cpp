#include "train/affine_region.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace kinglet::train {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::ValueId;

/// The matrices of a region cost more than the pictures' own passes where few BatchNorms share them: MobileNetV2's linear
/// bottleneck (two, up to 960 channels) trained ten times slower as a region than as plain operators.
constexpr int kFewestNorms = 4;

bool is_pointwise_conv(const Graph& graph, const Node& node) {
  if (node.op != OpKind::Conv2d || !graph.value(node.inputs[1]).is_constant()) return false;
  const auto& attrs = node.as<graph::Conv2dAttrs>();
  const auto& pad = attrs.padding;
  const Shape& weight = graph.value(node.inputs[1]).shape;
  const bool padded = pad.mode == graph::PaddingMode::explicit_ && (pad.top || pad.bottom || pad.left || pad.right);
  return weight[1] == 1 && weight[2] == 1 && attrs.stride_h == 1 && attrs.stride_w == 1 && !padded &&
         attrs.activation == graph::Activation::none;
}

bool is_plain_add(const Graph& graph, const Node& node) {
  if (node.op != OpKind::Add || node.as<graph::ActivationAttrs>().activation != graph::Activation::none) return false;
  const auto &a = graph.value(node.inputs[0]), &b = graph.value(node.inputs[1]);
  return !a.is_constant() && !b.is_constant() && a.shape == b.shape && a.shape.rank() == 4;
}

/// root[v]: the value that v is an affine function of, pixel by pixel; v itself where nothing better is known.
std::vector<ValueId> affine_roots(const Graph& graph) {
  std::vector<ValueId> root(static_cast<size_t>(graph.value_count()));
  for (size_t v = 0; v < root.size(); ++v) root[v] = static_cast<ValueId>(v);
  const auto of = [&](ValueId v) -> ValueId& { return root[static_cast<size_t>(v)]; };
  for (const Node& node : graph.nodes()) {
    const bool one_input = is_pointwise_conv(graph, node) || is_picture_norm(graph, node);
    const bool sum = is_plain_add(graph, node) && of(node.inputs[0]) == of(node.inputs[1]);
    if (one_input || sum) of(node.outputs[0]) = of(node.inputs[0]);
  }
  return root;
}

class RegionBuilder {
 public:
  RegionBuilder(const Graph& graph, ValueId source) : graph_(graph) {
    region_.source = source;
    region_.source_channels = static_cast<int>(graph.value(source).shape.back());
    numbers_[source] = 0;
  }
  void add(graph::NodeIndex index) {
    const Node& node = graph_.node(index);
    AffineOp op;
    op.op = node.op;
    op.in = numbers_.at(node.inputs[0]);
    op.out = static_cast<int>(numbers_.size());
    op.channels = static_cast<int>(graph_.value(node.outputs[0]).shape.back());
    if (node.op == OpKind::Add) op.in2 = numbers_.at(node.inputs[1]);
    if (node.op != OpKind::Add) op.weight = parameter(node.inputs[1]);
    if (node.op == OpKind::Conv2d) op.bias = node.inputs.size() > 2 ? parameter(node.inputs[2]) : kNone;
    if (node.op == OpKind::BatchNorm) add_norm(node, op);
    numbers_[node.outputs[0]] = op.out;
    region_.nodes.push_back(index);
    region_.ops.push_back(op);
    region_.sink = node.outputs[0];
    region_.sink_channels = op.channels;
  }
  /// The Relu or Relu6 that alone reads what the region makes.
  void absorb_activation(const std::vector<std::vector<graph::NodeIndex>>& users) {
    const auto& readers = users[static_cast<size_t>(region_.sink)];
    if (readers.size() != 1 || graph_.is_output(region_.sink)) return;
    const Node& reader = graph_.node(readers[0]);
    if (reader.op != OpKind::Relu && reader.op != OpKind::Relu6) return;
    region_.activation = reader.op == OpKind::Relu ? graph::Activation::relu : graph::Activation::relu6;
    region_.sink = reader.outputs[0];
    region_.nodes.push_back(readers[0]);
  }
  int norms() const { return norms_; }
  AffineRegion take() { return std::move(region_); }

 private:
  void add_norm(const Node& node, AffineOp& op) {
    op.bias = parameter(node.inputs[2]);
    op.running_mean = node.inputs[3];
    op.running_var = node.inputs[4];
    op.eps = node.as<graph::BatchNormAttrs>().eps;
    op.momentum = node.as<graph::BatchNormAttrs>().momentum;
    ++norms_;
  }
  ValueId parameter(ValueId id) {
    auto& all = region_.parameters;
    if (id != kNone && std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
    return id;
  }
  const Graph& graph_;
  AffineRegion region_;
  std::map<ValueId, int> numbers_;
  int norms_ = 0;
};

}  // namespace

bool is_picture_norm(const Graph& graph, const Node& node) {
  return node.op == OpKind::BatchNorm && graph.value(node.inputs[0]).shape.rank() == 4;
}

std::vector<AffineRegion> find_affine_regions(const Graph& graph) {
  const auto root = affine_roots(graph);
  const auto users = graph.users();
  std::map<ValueId, std::vector<graph::NodeIndex>> members;
  for (int i = 0; i < graph.node_count(); ++i) {
    const ValueId out = graph.node(i).outputs[0];
    if (root[static_cast<size_t>(out)] != out) members[root[static_cast<size_t>(out)]].push_back(i);
  }
  std::vector<AffineRegion> regions;
  for (const auto& [source, nodes] : members) {
    RegionBuilder builder(graph, source);
    int escapes = 0;
    for (auto index : nodes) {
      builder.add(index);
      const ValueId out = graph.node(index).outputs[0];
      const auto& readers = users[static_cast<size_t>(out)];
      const bool outside = graph.is_output(out) || readers.empty() ||
                           std::any_of(readers.begin(), readers.end(), [&](auto r) { return std::find(nodes.begin(), nodes.end(), r) == nodes.end(); });
      escapes += outside;
    }
    if (builder.norms() < kFewestNorms || escapes != 1) continue;
    builder.absorb_activation(users);
    regions.push_back(builder.take());
  }
  return regions;
}

}  // namespace kinglet::train
