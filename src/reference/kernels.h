// One function an operator: reads the node's real tensors, writes its one output (already allocated).
#pragma once

#include <vector>

#include "reference/interpreter.h"

namespace kinglet::reference {

/// What a node sees while it runs. `in[i]` has no elements where an optional input is absent.
struct Call {
  const graph::Graph& graph;
  const graph::Node& node;
  const std::vector<Tensor>& in;
  Tensor& out;
  ops::Numerics numerics;

  const graph::Value& input_value(int i) const { return graph.value(node.inputs[static_cast<size_t>(i)]); }
  const graph::Value& output_value() const { return graph.value(node.outputs[0]); }
  bool has(int i) const { return static_cast<size_t>(i) < in.size() && node.inputs[static_cast<size_t>(i)] != graph::kNone; }
  bool is_float() const { return in[0].dtype() == DType::f32; }
  int32_t input_zero_point(int i = 0) const { return input_value(i).quant.zero_point.at(0); }
  int32_t output_zero_point() const { return output_value().quant.zero_point.at(0); }
  float input_scale(int i = 0) const { return input_value(i).quant.scale.at(0); }
  float output_scale() const { return output_value().quant.scale.at(0); }
};

void conv2d(Call& call);
void depthwise_conv2d(Call& call);
void fully_connected(Call& call);
void add(Call& call);
void mul(Call& call);
void average_pool2d(Call& call);
void max_pool2d(Call& call);
void mean(Call& call);
void pad(Call& call);
void softmax(Call& call);
void logistic(Call& call);
void relu(Call& call);  ///< Relu and Relu6
void hard_swish(Call& call);
void transpose(Call& call);
void concatenation(Call& call);
void strided_slice(Call& call);
void resize_nearest(Call& call);
void arg_max(Call& call);
void quantize(Call& call);
void dequantize(Call& call);
void batch_norm(Call& call);
void fake_quantize(Call& call);

}  // namespace kinglet::reference
