#include "flow/deploy.h"

#include <algorithm>
#include <span>

#include "passes/pipeline.h"

namespace kinglet::flow {

using graph::OpKind;

bool has_training_operators(const graph::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const graph::Node& node) { return node.op == OpKind::BatchNorm || node.op == OpKind::Dropout; });
}

bool is_int8(const graph::Graph& graph) {
  return std::any_of(graph.values().begin(), graph.values().end(), [](const graph::Value& v) { return !v.is_constant() && v.dtype == DType::s8; });
}

graph::Model deployable(const graph::Model& model) {
  const auto& values = model.graph.values();
  if (std::any_of(values.begin(), values.end(), [](const graph::Value& value) { return value.dtype == DType::u8; })) {
    graph::Model converted = model;
    static constexpr passes::Pass kConvert{"convert_legacy_uint8", passes::convert_legacy_uint8};
    passes::run_passes(converted.graph, std::span(&kConvert, 1));
    return converted;
  }
  if (!has_training_operators(model.graph)) return model;
  graph::Model folded = model;
  folded.provenance["train_params"] = ops::cost(model.graph).params;
  folded.sections.clear();
  passes::fold_for_deployment(folded.graph);
  return folded;
}

graph::Model fold_with_proof(const graph::Model& model, const data::Dataset& pictures, int n, quantize::FoldProof& proof) {
  graph::Model folded = deployable(model);
  proof = quantize::prove_fold(model, folded.graph, pictures, n, 1);
  folded.provenance["fold_proof"] = quantize::proof_to_json(proof);
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
