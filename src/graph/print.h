// A Graph as text, one node a line; pass tests compare it, `inspect --text` shows it.
#pragma once

#include <string>

#include "graph/graph.h"

namespace kinglet::graph {

/// %name: Nx16x16x16 int8 (0.0235, -128) = conv2d(%x, %w, %b) stride=2x2 padding=same activation=relu
std::string to_text(const Graph& graph);

}  // namespace kinglet::graph
