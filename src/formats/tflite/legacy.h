// Older uint8 models run as int8 (pass convert_legacy_uint8); their files say uint8.
#pragma once

#include "graph/graph.h"

namespace kinglet::formats::tflite {

bool has_legacy_nodes(const graph::Graph& graph);

/// The graph that convert_legacy_uint8 was given: values of NodeRule::legacy_u8 nodes 128 integers higher, as uint8, and the
/// Quantize nodes at the borders gone. Throws Error naming a node that reads or makes such a value in int8 itself.
///     x u8 -> quantize -> conv2d(w s8) rule=legacy_u8 -> quantize -> y u8      =>      x u8 -> conv2d(w u8) -> y u8
graph::Graph restore_legacy_uint8(graph::Graph graph);

}  // namespace kinglet::formats::tflite
