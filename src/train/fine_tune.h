// The recipe of `train --from MODEL --data D` without a recipe file: a new head first on the frozen trunk, then everything, in so
// many epochs as fit into the time given. The numbers found are written into the run's recipe.yaml, so that it can be repeated.
#pragma once

#include <string>
#include <vector>

#include "graph/model.h"
#include "train/recipe.h"

namespace kinglet::train {

inline constexpr const char* kFineTuneName = "finetune";

/// Whether one of the "key=value" texts sets `key`.
bool overridden(const std::vector<std::string>& overrides, const std::string& key);

/// The recipe but for epochs, which plan_epochs sets unless an override does.
Recipe fine_tune_recipe(const std::vector<std::string>& overrides);

/// Sets what depends on the model: a lower rate for graphs without BatchNorm, shifts by the size of the pictures. Keys that
/// `overrides` name stay.
void fit_recipe(Recipe& recipe, const graph::Model& model, const std::vector<std::string>& overrides);

struct EpochPlan {
  double head_s = 0, full_s = 0;  ///< measured seconds a picture, forward and backward
  double minutes = 0;             ///< expected in all
};

/// Measures a few steps of both phases on this machine and sets epochs, freeze_epochs and, where not even three epochs fit,
/// limit, so that all takes at most `minutes` (1 and up). freeze_epochs stays where `overrides` name it.
EpochPlan plan_epochs(Recipe& recipe, const graph::Model& model, int64_t pictures, double minutes, const std::vector<std::string>& overrides = {});

}  // namespace kinglet::train
