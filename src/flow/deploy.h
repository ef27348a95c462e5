// From a training graph to one that can be planned, with the proof that folding kept its answers.
#pragma once

#include "data/dataset.h"
#include "graph/model.h"
#include "ops/cost.h"
#include "quantize/fold_proof.h"

namespace kinglet::flow {

/// True when the graph holds BatchNorm, Dropout or foldable branches, which plan and export refuse.
bool has_training_operators(const graph::Graph& graph);

/// Whether values that pass through it are int8, whatever its inputs and outputs are.
bool is_int8(const graph::Graph& graph);

/// The model itself if it can be planned as it is; else a copy folded for deployment, which records `train_params` in its
/// provenance, or one whose uint8 operators have become int8 (passes::convert_legacy_uint8).
graph::Model deployable(const graph::Model& model);

/// deployable(), and quantize::prove_fold on `n` of the pictures; the proof goes into the provenance as "fold_proof".
graph::Model fold_with_proof(const graph::Model& model, const data::Dataset& pictures, int n, quantize::FoldProof& proof);

struct ModelCost {
  ops::Cost deployed;
  int64_t train_params = 0;  ///< of the training graph, 0 where it is not known
};

ModelCost model_cost(const graph::Model& model);

}  // namespace kinglet::flow
