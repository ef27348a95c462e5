// Checks that many operators' type rules share.
#pragma once

#include "ops/op_info.h"

namespace kinglet::ops {

const graph::Value& input_value(const graph::Graph& graph, const graph::Node& node, int index);
/// nullptr where an optional input is absent.
const graph::Value* optional_input(const graph::Graph& graph, const graph::Node& node, int index);
/// Refuses unless input `index` has this rank.
const graph::Value& input_of_rank(const graph::Graph& graph, const graph::Node& node, int index, int rank);
/// Weights of x's kind (float with float, int8 or uint8 with the same) and a bias of `channels` (float32 or int32).
void check_weights(const graph::Graph& graph, const graph::Node& node, int64_t channels);
/// One output of input 0's type.
std::vector<ValueType> same_type(const graph::Graph& graph, const graph::Node& node);

}  // namespace kinglet::ops
