// What a training starts from: an architecture, or another model's weights with a head for the data's classes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "graph/model.h"
#include "train/recipe.h"

namespace kinglet::train {

using Say = std::function<void(const std::string&)>;

/// recipe.from when given, else recipe.model drawn from recipe.seed. `classes`: the data's names in order; none: not known, the
/// model's own head stays. What was done to the source is told to `say`.
graph::Model start_model(const Recipe& recipe, const std::vector<std::string>& classes, const Say& say);

/// The float Model of a .kinglet or foreign file, of a run folder (its best.kinglet) or of a model of Kinglet's zoo by name or
/// folder (its float file). Integer models are dequantized. Files of tensors without a network (.pth, .safetensors) take that of
/// `architecture`, a zoo text. Throws Error.
graph::Model open_source(const std::string& text, const std::string& architecture, const Say& say);

/// The last operator with weights (fully connected, or a 1x1 convolution before pooling or reshaping) gets new weights for
/// `classes` outputs; a final logistic becomes a softmax. Throws Error when the model ends in something else.
void fit_head(graph::Model& model, int classes, uint64_t seed);

/// The folded model with only its head trainable: the trunk runs as deployed, without a backward pass.
graph::Model head_only(const graph::Model& model);
/// The head's weights and bias of `from` (made by head_only) into `to`.
void move_head(const graph::Model& from, graph::Model& to);

bool has_batch_norm(const graph::Graph& graph);

}  // namespace kinglet::train
