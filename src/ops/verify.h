// All that must hold of a Graph after every pass and every import: structure, arity, and stored types equal to inferred.
#pragma once

#include "graph/graph.h"

namespace kinglet::ops {

/// Throws Error naming the node.
void verify(const graph::Graph& graph, const std::string& where);

/// Recomputes every node's output types in order (after a pass changed an attribute or an input).
void infer_types(graph::Graph& graph);

}  // namespace kinglet::ops
