// What a profile can bound of a node, each a whole number.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace kinglet::flow {

const std::vector<std::string>& measure_names();
/// nullopt where the node has no such thing (the stride of an addition). Throws Error for an unknown name.
std::optional<int64_t> measure(const std::string& name, const graph::Graph& graph, const graph::Node& node);
/// "stride in height": for messages; of a measure that is 0 or 1 the fault itself ("pads channels").
std::string measure_words(const std::string& name);
/// measure_words() is a whole statement and needs no number.
bool is_fault(const std::string& name);
/// What one usually changes when it is out of bounds; may be empty.
std::string measure_hint(const std::string& name);

}  // namespace kinglet::flow
