// Which layer loses the accuracy: each layer rounded alone, and all layers but it, on the same labelled pictures.
#pragma once

#include <string>
#include <vector>

#include "quantize/quantize.h"

namespace kinglet::quantize {

struct BlameRow {
  std::string name, op;
  double top1_only = 0;      ///< share of right answers with this layer alone rounded (weights and output)
  double top1_without = 0;   ///< with all layers rounded but this one
  double agree_only = 0;     ///< share of pictures whose answer is the float model's
  double agree_without = 0;
};

struct Blame {
  int64_t n = 0;
  double top1_float = 0, top1_all = 0, agree_all = 0;
  std::vector<BlameRow> rows;  ///< the worst first: by agree_only, then by agree_without
};

/// Folds and calibrates as post_training does, then runs 2 x layers + 2 variants of the float graph on the first `n` of
/// the class-balanced draw of `pictures` (not a test split's: the answer is used to choose). Layers are the nodes whose
/// output gets a scale of its own.
Blame blame(const graph::Model& float_model, const data::Dataset& calibration, const data::Dataset& pictures, int n, const Options& options = {},
            const ProgressCallback& progress = {});

Json blame_to_json(const Blame& blame);

}  // namespace kinglet::quantize
