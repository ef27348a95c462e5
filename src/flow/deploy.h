// From a training graph to one that can be planned, with the proof that folding kept its answers.
#pragma once

#include "data/dataset.h"
#include "graph/model.h"
#include "ops/cost.h"

namespace kinglet::flow {

/// True when the graph holds BatchNorm, Dropout or foldable branches, which plan and export refuse.
bool has_training_operators(const graph::Graph& graph);

/// The model itself if it has none, else a copy folded for deployment. Records `train_params` in its provenance.
graph::Model deployable(const graph::Model& model);

struct FoldProof {
  int64_t n = 0;                     ///< pictures
  double max_output_difference = 0;  ///< largest absolute difference of any output
  int64_t label_flips = 0;
};

/// deployable(), and both graphs run by the float reference on the first `n` pictures; the proof goes into the provenance.
graph::Model fold_with_proof(const graph::Model& model, const data::Dataset& pictures, int64_t n, FoldProof& proof);

struct ModelCost {
  ops::Cost deployed;
  int64_t train_params = 0;  ///< of the training graph, 0 where it is not known
};

ModelCost model_cost(const graph::Model& model);

}  // namespace kinglet::flow
