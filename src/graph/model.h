// Graph + input contract + labels + where it came from: all that a file of Kinglet says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/input_spec.h"

namespace kinglet::graph {

struct Model {
  std::string name;
  Graph graph;
  InputSpec input;
  std::vector<std::string> labels;
  Json provenance = Json::object();  ///< data, recipe, parent, tool version, proofs of passes
  /// Further sections of a .kinglet file ("train_state"), and those of newer versions, kept as they are.
  std::map<std::string, std::vector<std::byte>> sections;
};

}  // namespace kinglet::graph
