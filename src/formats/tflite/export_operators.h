// One node as the file's operator: code, version and options. What becomes an extra tensor or operator is export.cpp's part.
#pragma once

#include "graph/graph.h"
#include "tflite_generated.h"  // made by flatc from tflite.fbs

namespace kinglet::formats::tflite {

struct Lowered {
  fb::BuiltinOperator code;
  int version;  ///< the oldest that runs these types, so that old interpreters take the file too
  fb::BuiltinOptions type;
  flatbuffers::Offset<void> options;
};

/// `padding` is what remains after export.cpp has split explicit paddings off: valid or same.
/// Throws Error naming the node for operators the format cannot say.
Lowered lower(flatbuffers::FlatBufferBuilder& builder, const graph::Graph& graph, const graph::Node& node, graph::PaddingMode padding);

}  // namespace kinglet::formats::tflite
