// What makes a graph read from a file as tight as ours: activations inside the operator before them, and int8 operators
// instead of float ones between Dequantize and Quantize.
#pragma once

#include <unordered_map>

#include "graph/graph.h"

namespace kinglet::formats::onnx {

/// The integers that a float constant was dequantized from.
struct IntegerConstant {
  Tensor tensor;
  graph::QuantParams quant;
  std::string name;
};
using IntegerConstants = std::unordered_map<graph::ValueId, IntegerConstant>;

/// before: a = conv(x); y = relu6(a)    after: y = conv(x) activation=relu6
void fuse_activations(graph::Graph& graph);

/// before: f = dequantize(x); g = conv(f, w); y = quantize(g)    after: y = conv(x, w in int8)
/// Only where our int8 operator says the same: int8 per-tensor activations, symmetric weights, equal parameters around pools,
/// reshapes and pads, 1/256 and -128 after softmax and logistic. Biases that were no integers are rounded to them.
void fuse_quantization(graph::Graph& graph, const IntegerConstants& integers);

}  // namespace kinglet::formats::onnx
