#include "flow/deploy.h"

#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "data/preprocess.h"
#include "passes/pipeline.h"
#include "reference/interpreter.h"

namespace kinglet::flow {

using graph::OpKind;

bool has_training_operators(const graph::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const graph::Node& node) { return node.op == OpKind::BatchNorm || node.op == OpKind::Dropout; });
}

graph::Model deployable(const graph::Model& model) {
  if (!has_training_operators(model.graph)) return model;
  graph::Model folded = model;
  folded.provenance["train_params"] = ops::cost(model.graph).params;
  folded.sections.clear();
  passes::fold_for_deployment(folded.graph);
  return folded;
}

graph::Model fold_with_proof(const graph::Model& model, const data::Dataset& pictures, int64_t n, FoldProof& proof) {
  graph::Model folded = deployable(model);
  const auto& input = model.graph.value(model.graph.inputs.at(0));
  const data::Preprocessor preprocessor(model.input, input);
  for (int64_t i = 0; i < std::min(n, pictures.size()); ++i) {
    Tensor x(input.dtype, input.shape);
    preprocessor.run(pictures.image(i), x.mutable_bytes());
    const auto before = reference::run(model.graph, std::span(&x, 1))[0], after = reference::run(folded.graph, std::span(&x, 1))[0];
    const auto a = before.data<float>(), b = after.data<float>();
    for (size_t k = 0; k < a.size(); ++k) proof.max_output_difference = std::max(proof.max_output_difference, double{std::abs(a[k] - b[k])});
    proof.label_flips += top_k(a, 1) != top_k(b, 1);
    ++proof.n;
  }
  folded.provenance["fold_proof"] = {{"n", proof.n}, {"max_output_difference", proof.max_output_difference}, {"label_flips", proof.label_flips}};
  return folded;
}

ModelCost model_cost(const graph::Model& model) {
  ModelCost cost;
  cost.deployed = ops::cost(deployable(model).graph);
  if (has_training_operators(model.graph)) cost.train_params = ops::cost(model.graph).params;
  else cost.train_params = model.provenance.value("train_params", int64_t{0});
  return cost;
}

}  // namespace kinglet::flow
