// Structural invariants of a Graph: indices in range, one producer a value, topological order, constants that fit their
// types, quantization that fits its value. What operators demand is ops/verify.h's part.
#pragma once

#include "graph/graph.h"

namespace kinglet::graph {

/// Throws Error naming the node or value. Linear in the size of the graph.
void verify_structure(const Graph& graph, const std::string& where);

}  // namespace kinglet::graph
