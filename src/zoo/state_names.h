// What other trainers' checkpoints call the parameters of an architecture, where that is not what Kinglet calls them
// (docs/how_to/open_models.md lists the names).
#pragma once

#include <string>
#include <vector>

namespace kinglet::zoo {

/// The other name of a parameter, empty where there is none: "stem.bn.bias" of mobilenet_v2_rep is "conv1.norm.bias".
std::string other_name(const std::string& arch, const std::string& parameter);

/// Modules of such a checkpoint whose tensors follow from others: fused copies.
std::vector<std::string> derived_modules(const std::string& arch);

}  // namespace kinglet::zoo
