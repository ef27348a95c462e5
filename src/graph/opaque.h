// How messages speak of an operator that Kinglet does not run.
#pragma once

#include <string>

#include "graph/graph.h"

namespace kinglet::graph {

/// "MaxPool (ceil_mode with a partial last window)", or the name alone where no reason was noted.
inline std::string describe(const OpaqueAttrs& attrs) { return attrs.detail.empty() ? attrs.name : attrs.name + " (" + attrs.detail + ")"; }

/// The reason that the import left an operator opaque for, empty if it is none of ours or no reason was noted.
inline std::string opaque_detail(const Node& node) { return node.op == OpKind::Opaque ? node.as<OpaqueAttrs>().detail : ""; }

}  // namespace kinglet::graph
