// What a training starts from: a zoo architecture, or another model's weights with a head for the data's classes.
#pragma once

#include "graph/model.h"
#include "train/recipe.h"

namespace kinglet::train {

/// recipe.from when given, else recipe.model drawn from recipe.seed. `classes` 0: not known, the model's own stay.
graph::Model start_model(const Recipe& recipe, int classes);

/// The last fully connected operator gets new weights for `classes` outputs; nothing changes when it has as many.
/// Throws Error when the model does not end in one.
void fit_head(graph::Model& model, int classes, uint64_t seed);

}  // namespace kinglet::train
