#include "quantize/fake_quantize.h"

#include "base/error.h"
#include "ops/op_info.h"
#include "ops/verify.h"
#include "quantize/convert.h"
#include "quantize/prepare.h"
#include "quantize/twin.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::QuantParams;
using graph::ValueId;

bool has_weights(const Node& node) { return node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected; }

/// A FakeQuantize of `x` and its new output value; the caller puts the node in its place.
Node fake_quantize_node(Graph& graph, ValueId x, const QuantParams& params, int quant_min) {
  graph::Value out = graph.value(x);
  out.constant.reset();
  out.trainable = false;
  out.name = graph.unique_name(out.name + "_fq");
  Node node;
  node.op = OpKind::FakeQuantize;
  node.attrs = graph::FakeQuantizeAttrs{params.scale, params.zero_point, params.axis, quant_min, 127};
  node.name = out.name;
  node.inputs = {x};
  node.outputs = {graph.add_value(std::move(out))};
  return node;
}

/// Values that are on their grid already: an operator that moves what it reads (its scale is the input's), and the softmax at
/// the end, whose input training reads. An average is none of these, nor is a logistic within the network.
bool needs_no_rounding(const Node& node) {
  return ops::op_info(node.op).quant.kind != ops::QuantKind::free && node.op != OpKind::Logistic && node.op != OpKind::AveragePool2d;
}

class Inserter {
 public:
  Inserter(const Graph& float_graph, const Graph& int8_graph) : int8_(int8_graph), result_(float_graph), old_nodes_(float_graph.nodes()) { result_.nodes().clear(); }

  Graph insert(const std::function<bool(NodeIndex)>& which, bool on_input) {
    for (ValueId v : result_.inputs)
      if (on_input) round(v);
    for (NodeIndex i = 0; i < static_cast<NodeIndex>(old_nodes_.size()); ++i) {
      Node node = old_nodes_[static_cast<size_t>(i)];
      for (ValueId& v : node.inputs) v = current(v);
      if (which(i) && has_weights(node)) node.inputs[1] = rounded_weights(i);
      const ValueId y = node.outputs[0];
      const bool rounds = which(i) && !needs_no_rounding(node);
      result_.add_node(std::move(node));
      if (rounds) round(y);
    }
    for (ValueId& v : result_.outputs) v = current(v);
    return std::move(result_);
  }

 private:
  ValueId current(ValueId v) const {
    const auto it = replaced_.find(v);
    return it == replaced_.end() ? v : it->second;
  }

  void round(ValueId v) {
    Node node = fake_quantize_node(result_, v, int8_.value(v).quant, -128);
    if (result_.is_output(v)) std::swap(result_.value(v).name, result_.value(node.outputs[0]).name);
    replaced_[v] = node.outputs[0];
    result_.add_node(std::move(node));
  }

  ValueId rounded_weights(NodeIndex index) {
    const ValueId w = old_nodes_[static_cast<size_t>(index)].inputs[1];
    Node node = fake_quantize_node(result_, w, int8_.value(int8_.node(index).inputs[1]).quant, -127);
    const ValueId out = node.outputs[0];
    result_.add_node(std::move(node));
    return out;
  }

  const Graph& int8_;
  Graph result_;
  std::vector<Node> old_nodes_;
  std::map<ValueId, ValueId> replaced_;
};

/// Takes the FakeQuantize nodes out; their parameters by the value they read.
std::map<ValueId, QuantParams> strip(Graph& graph) {
  std::map<ValueId, QuantParams> params;
  for (NodeIndex i = 0; i < graph.node_count();) {
    const Node node = graph.node(i);
    if (node.op != OpKind::FakeQuantize) {
      ++i;
      continue;
    }
    const auto& a = node.as<graph::FakeQuantizeAttrs>();
    params[node.inputs[0]] = {a.scale, a.zero_point, a.axis};
    if (graph.is_output(node.outputs[0])) std::swap(graph.value(node.inputs[0]).name, graph.value(node.outputs[0]).name);
    graph.replace_uses(node.outputs[0], node.inputs[0]);
    graph.nodes().erase(graph.nodes().begin() + i);
  }
  return params;
}

/// Scales of all activations: each group takes that of the member that has one.
std::vector<QuantParams> spread_over_groups(const Graph& graph, Prepared prepared, const std::map<ValueId, QuantParams>& known) {
  for (const auto& [v, params] : known)
    if (const int g = prepared.group[static_cast<size_t>(v)]; g >= 0) prepared.fixed[static_cast<size_t>(g)] = params;
  std::vector<QuantParams> all(graph.values().size());
  for (size_t v = 0; v < all.size(); ++v) {
    if (prepared.group[v] < 0) continue;
    const auto& params = prepared.fixed[static_cast<size_t>(prepared.group[v])];
    const auto& value = graph.values()[v];
    if (!params && !value.is_constant()) throw Error("value '" + value.name + "'", "has no scale from training", "only graphs made by prepare_qat can be converted");
    if (params) {
      all[v] = *params;
      continue;
    }
    Range range;
    for (float x : value.constant->data<float>()) range = unite(range, {double{x}, double{x}});
    all[v] = asymmetric_params(range);
  }
  return all;
}

}  // namespace

Graph insert_fake_quantize(const Graph& float_graph, const Graph& int8_graph, const std::function<bool(NodeIndex)>& which, bool on_input) {
  Graph result = Inserter(float_graph, int8_graph).insert(which, on_input);
  ops::verify(result, "graph with FakeQuantize");
  return result;
}

graph::Model prepare_qat(const graph::Model& float_model, const data::Dataset& calibration, const Options& options, const ProgressCallback& progress) {
  ThreadPool pool(options.threads);
  Twin twin = make_twin(float_model, calibration, options, pool, progress);
  graph::Model result = std::move(twin.folded);
  result.graph = insert_fake_quantize(result.graph, twin.int8, [](NodeIndex) { return true; }, true);
  result.provenance["prepare_qat"] = {{"observer", observer_name(options.observer)}, {"calibration_n", twin.pictures}, {"seed", options.seed}};
  return result;
}

graph::Model convert_qat(const graph::Model& qat_model, Io io) {
  graph::Model result = qat_model;
  Graph stripped = qat_model.graph;
  const auto known = strip(stripped);
  const auto params = spread_over_groups(stripped, prepare(stripped, result.input), known);
  ConvertOptions options;
  for (const auto& [v, p] : known)
    if (stripped.value(v).is_constant()) options.weight_scales[v] = p.scale;
  result.graph = convert(stripped, params, options);
  add_borders(result.graph, io);
  result.graph.remove_unused();
  ops::verify(result.graph, "quantized model");
  result.provenance["quantize"] = {{"method", "quantization-aware training"}, {"io", io_name(io)}};
  return result;
}

}  // namespace kinglet::quantize
