// Evidence that a folded graph computes what the unfolded one did: both run on the same pictures in the reference.
#pragma once

#include <cstdint>
#include <span>

#include "base/json.h"
#include "base/tensor.h"
#include "data/dataset.h"
#include "graph/model.h"

namespace kinglet::quantize {

struct FoldProof {
  int64_t n = 0;                  ///< pictures
  double max_output_difference = 0;  ///< of any output element, absolute
  int64_t label_flips = 0;        ///< pictures whose highest score moved (first output, last axis)
};

/// Batches of the graphs' one float input. Both graphs must have the same output shapes.
FoldProof prove_fold(const graph::Graph& before, const graph::Graph& after, std::span<const Tensor> batches, int threads = 0);
/// On `n` pictures of a data set, through the model's input contract.
FoldProof prove_fold(const graph::Model& before, const graph::Graph& after, const data::Dataset& pictures, int n, uint64_t seed, int threads = 0);

/// {"n", "max_output_difference", "label_flips"}, kept in the provenance as "fold_proof".
Json proof_to_json(const FoldProof& proof);

}  // namespace kinglet::quantize
