// The commands that make a card again, from the recipe that lies beside it.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/model.h"

namespace kinglet::flow {

/// Training, quantization and card of `models` (the card's own) and of `seed_runs` (the same recipe with other seeds), in order;
/// empty where no recipe is known. `pictures`: what the card is measured with.
std::vector<std::string> how_to_reproduce(const std::vector<graph::Model>& models, const std::vector<graph::Model>& seed_runs, const std::string& name, const data::DatasetInfo& pictures);

}  // namespace kinglet::flow
