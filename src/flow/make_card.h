// The model card: every model given is exported, opened again from its file, evaluated and timed; then the card is written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "card/card.h"
#include "data/dataset.h"
#include "graph/model.h"
#include "ops/numerics.h"

namespace kinglet::flow {

struct CardOptions {
  std::string name;                      ///< default: the first model's
  std::string description;
  std::vector<std::string> notes;        ///< sentences for the card's limits: what holds the figures down, what would raise them
  std::vector<graph::Model> seed_runs;   ///< the same recipe trained with other seeds, for the table of seeds
  card::Licences licences{"Apache-2.0", "Apache-2.0", ""};  ///< data: the data set's own when empty
  ops::Numerics numerics = ops::Numerics::tflm;
  int threads = 0;
  ProgressCallback progress;
};

/// The first model is the one whose confusion and mistakes the card shows. Writes NAME_int8.tflite, or NAME_float.tflite and
/// NAME.onnx, NAME.pth, labels.txt, README.md, card.html, card.json and, where a model's provenance tells it, recipe.yaml into `folder` and returns
/// their paths.
std::vector<std::filesystem::path> make_card(const std::vector<graph::Model>& models, const data::Dataset& pictures,
                                             const std::filesystem::path& folder, const CardOptions& options);

}  // namespace kinglet::flow
