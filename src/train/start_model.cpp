#include "train/start_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "graph/serialize.h"
#include "ops/verify.h"
#include "zoo/zoo.h"

namespace kinglet::train {

namespace {

using graph::OpKind;

graph::Node* find_head(graph::Graph& graph) {
  const auto producers = graph.producers();
  graph::ValueId value = graph.outputs.at(0);
  for (auto at = producers[static_cast<size_t>(value)]; at != graph::kNone; at = producers[static_cast<size_t>(value)]) {
    graph::Node& node = graph.node(at);
    if (node.op == OpKind::FullyConnected) return &node;
    if (node.op != OpKind::Softmax && node.op != OpKind::Logistic) return nullptr;
    value = node.inputs[0];
  }
  return nullptr;
}

/// Imported models mark nothing as trainable: their weights and biases are.
void make_trainable(graph::Graph& graph) {
  for (const auto& value : graph.values())
    if (value.trainable) return;
  for (const auto& node : graph.nodes())
    if (node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected || node.op == OpKind::BatchNorm)
      for (size_t i = 1; i < std::min<size_t>(3, node.inputs.size()); ++i)
        if (node.inputs[i] != graph::kNone && graph.value(node.inputs[i]).dtype == DType::f32) graph.value(node.inputs[i]).trainable = true;
}

}  // namespace

void fit_head(graph::Model& model, int classes, uint64_t seed) {
  if (model.graph.value(model.graph.outputs.at(0)).shape.back() == classes) return;
  graph::Node* head = find_head(model.graph);
  if (!head) throw Error(model.name, fmt::format("does not end in a fully connected operator, so it cannot get a head for {} classes", classes));
  graph::Value& weight = model.graph.value(head->inputs[1]);
  const int64_t in = weight.shape[1];
  Tensor drawn(DType::f32, Shape{classes, in});
  RandomStream random(seed, 0, 0, Purpose::init);
  for (float& w : drawn.mutable_data<float>()) w = static_cast<float>(random.normal() / std::sqrt(double(in)));
  weight.shape = drawn.shape();
  weight.constant = std::move(drawn);
  if (head->inputs.size() > 2 && head->inputs[2] != graph::kNone) {
    graph::Value& bias = model.graph.value(head->inputs[2]);
    bias.constant = Tensor(DType::f32, Shape{classes});
    bias.shape = bias.constant->shape();
  }
  ops::infer_types(model.graph);
  ops::verify(model.graph, model.name);
}

graph::Model start_model(const Recipe& recipe, int classes) {
  if (recipe.from.empty()) return zoo::build(recipe.model, recipe.seed);
  graph::Model model = graph::load(recipe.from);
  model.sections.erase("train_state");
  make_trainable(model.graph);
  if (classes > 0) fit_head(model, classes, recipe.seed);
  Json parent = Json::object();
  parent["file"] = recipe.from;
  parent["provenance"] = model.provenance;
  model.provenance = Json::object();
  model.provenance["parent"] = parent;
  return model;
}

}  // namespace kinglet::train
