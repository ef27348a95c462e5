// What several passes need: who reads a value, taking a node out of a chain, BatchNorm as scale and shift.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace kinglet::passes {

/// True when one node reads `value`, once, and it is no graph output.
bool has_single_user(const graph::Graph& graph, const std::vector<std::vector<graph::NodeIndex>>& users, graph::ValueId value);

/// Lets the readers of the node's output read its input 0 instead. A graph output keeps its name where the input is not
/// itself a graph input or output. The node is erased, so later nodes move up by one.
void bypass(graph::Graph& graph, graph::NodeIndex node);

/// Adds a float constant under a name not yet taken.
graph::ValueId add_float_constant(graph::Graph& graph, const std::string& name, Shape shape, const std::vector<double>& values);

/// y[c] = scale[c] * x[c] + shift[c].
struct ChannelAffine {
  std::vector<double> scale, shift;
};

/// A BatchNorm node with its running statistics: scale = gamma / sqrt(var + eps), shift = beta - mean * scale.
ChannelAffine batch_norm_affine(const graph::Graph& graph, const graph::Node& node);

/// The values of a float32 constant as doubles.
std::vector<double> constant_as_double(const graph::Graph& graph, graph::ValueId id);

/// True for a float32 value that holds a constant.
bool is_float_constant(const graph::Graph& graph, graph::ValueId id);

}  // namespace kinglet::passes
