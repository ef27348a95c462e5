// How messages speak of an operator that Kinglet does not run.
#pragma once

#include <string>

#include "graph/attrs.h"

namespace kinglet::graph {

/// "MaxPool (ceil_mode with a partial last window)", or the name alone where no reason was noted.
inline std::string describe(const OpaqueAttrs& attrs) { return attrs.detail.empty() ? attrs.name : attrs.name + " (" + attrs.detail + ")"; }

}  // namespace kinglet::graph
