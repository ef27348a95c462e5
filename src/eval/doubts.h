// What is not known for sure of an input contract and can change the figures: said wherever a figure is printed.
#pragma once

#include <string>
#include <vector>

#include "graph/input_spec.h"

namespace kinglet::eval {

/// Fields known no better than from inference that matter: how pictures are resized only when they have another size than
/// the input (`resampled`), gray weights only to a gray input, a crop's share only to a crop.
std::vector<std::string> doubtful_fields(const graph::InputSpec& spec, bool resampled);
/// One sentence that names them, says what was taken instead and how to find out; empty when there is nothing to doubt.
std::string contract_doubt(const graph::InputSpec& spec, bool resampled);

}  // namespace kinglet::eval
