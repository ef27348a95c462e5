#include "passes/rewrite.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace kinglet::passes {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::NodeIndex;
using graph::ValueId;

bool has_single_user(const Graph& graph, const std::vector<std::vector<NodeIndex>>& users, ValueId value) {
  return users[static_cast<size_t>(value)].size() == 1 && !graph.is_output(value);
}

void bypass(Graph& graph, NodeIndex index) {
  const ValueId in = graph.node(index).inputs[0], out = graph.node(index).outputs[0];
  const bool in_is_free = !graph.value(in).is_constant() && !graph.is_output(in) &&
                          std::find(graph.inputs.begin(), graph.inputs.end(), in) == graph.inputs.end();
  if (graph.is_output(out) && in_is_free) std::swap(graph.value(in).name, graph.value(out).name);
  graph.replace_uses(out, in);
  graph.nodes().erase(graph.nodes().begin() + index);
}

ValueId add_float_constant(Graph& graph, const std::string& name, Shape shape, const std::vector<double>& values) {
  std::vector<float> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), [](double v) { return static_cast<float>(v); });
  return graph.add_constant(graph.unique_name(name), Tensor::of<float>(std::move(shape), rounded), true);
}

bool is_float_constant(const Graph& graph, ValueId id) {
  return id != kNone && graph.value(id).is_constant() && graph.value(id).dtype == DType::f32;
}

std::vector<double> constant_as_double(const Graph& graph, ValueId id) {
  KINGLET_CHECK(is_float_constant(graph, id));
  const auto data = graph.value(id).constant->data<float>();
  return {data.begin(), data.end()};
}

ChannelAffine batch_norm_affine(const Graph& graph, const Node& node) {
  const auto gamma = constant_as_double(graph, node.inputs[1]), beta = constant_as_double(graph, node.inputs[2]);
  const auto mean = constant_as_double(graph, node.inputs[3]), variance = constant_as_double(graph, node.inputs[4]);
  const double eps = static_cast<double>(node.as<graph::BatchNormAttrs>().eps);
  ChannelAffine affine{gamma, beta};
  for (size_t c = 0; c < gamma.size(); ++c) {
    affine.scale[c] = gamma[c] / std::sqrt(variance[c] + eps);
    affine.shift[c] = beta[c] - mean[c] * affine.scale[c];
  }
  return affine;
}

}  // namespace kinglet::passes
