#include "formats/tflite/export_operators.h"

#include <algorithm>

#include "base/error.h"
#include "graph/opaque.h"
#include "ops/op_info.h"

namespace kinglet::formats::tflite {

namespace {

using fb::BuiltinOperator;
using fb::BuiltinOptions;
using flatbuffers::FlatBufferBuilder;
using graph::Node;
using graph::OpKind;

fb::Activation activation_code(const Node& node) {
  switch (ops::fused_activation(node)) {
    case graph::Activation::none:
      return fb::Activation::NONE;
    case graph::Activation::relu:
      return fb::Activation::RELU;
    case graph::Activation::relu6:
      return fb::Activation::RELU6;
  }
  KINGLET_CHECK(false);
}

fb::Padding padding_code(graph::PaddingMode padding) {
  return padding == graph::PaddingMode::same ? fb::Padding::SAME : fb::Padding::VALID;
}

bool is_s8(const graph::Graph& graph, const Node& node) { return graph.value(node.inputs[0]).dtype == DType::s8; }

/// Version 2 brought int8 to most operators.
int int8_version(const graph::Graph& graph, const Node& node) { return is_s8(graph, node) ? 2 : 1; }

int depthwise_version(const graph::Graph& graph, const Node& node) {
  const auto& a = node.as<graph::DepthwiseConv2dAttrs>();
  return is_s8(graph, node) ? 3 : a.dilation_h != 1 || a.dilation_w != 1 ? 2 : 1;
}

int fully_connected_version(const graph::Graph& graph, const Node& node) {
  if (graph.value(node.inputs[1]).quant.per_channel()) return 12;
  return is_s8(graph, node) ? 4 : 1;
}

/// Version 3 brought products whose multiplier is 1 or more.
int mul_version(const graph::Graph& graph, const Node& node) {
  if (!is_s8(graph, node)) return 1;
  auto scale = [&](graph::ValueId v) { return double{graph.value(v).quant.scale.at(0)}; };
  return scale(node.inputs[0]) * scale(node.inputs[1]) / scale(node.outputs[0]) >= 1.0 ? 3 : 2;
}

template <class Table>
Lowered lowered(BuiltinOperator code, int version, flatbuffers::Offset<Table> options) {
  return {code, version, fb::BuiltinOptionsTraits<Table>::enum_value, options.Union()};
}

Lowered bare(BuiltinOperator code, int version) { return {code, version, BuiltinOptions::NONE, 0}; }

Lowered lower_conv2d(FlatBufferBuilder& b, const graph::Graph& graph, const Node& node, graph::PaddingMode padding) {
  const auto& a = node.as<graph::Conv2dAttrs>();
  return lowered(
      BuiltinOperator::CONV_2D, is_s8(graph, node) ? 3 : 1,
      fb::CreateConv2DOptions(b, padding_code(padding), a.stride_w, a.stride_h, activation_code(node), a.dilation_w, a.dilation_h));
}

Lowered lower_depthwise(FlatBufferBuilder& b, const graph::Graph& graph, const Node& node, graph::PaddingMode padding) {
  const auto& a = node.as<graph::DepthwiseConv2dAttrs>();
  return lowered(BuiltinOperator::DEPTHWISE_CONV_2D, depthwise_version(graph, node),
                 fb::CreateDepthwiseConv2DOptions(b, padding_code(padding), a.stride_w, a.stride_h, a.multiplier, activation_code(node),
                                                  a.dilation_w, a.dilation_h));
}

Lowered lower_pool(FlatBufferBuilder& b, const graph::Graph& graph, const Node& node, graph::PaddingMode padding) {
  const auto& a = node.as<graph::Pool2dAttrs>();
  const auto code = node.op == OpKind::AveragePool2d ? BuiltinOperator::AVERAGE_POOL_2D : BuiltinOperator::MAX_POOL_2D;
  return lowered(code, int8_version(graph, node),
                 fb::CreatePool2DOptions(b, padding_code(padding), a.stride_w, a.stride_h, a.kernel_w, a.kernel_h, activation_code(node)));
}

Lowered lower_reshape(FlatBufferBuilder& b, const Node& node) {
  std::vector<int32_t> shape{-1};
  for (int64_t dim : node.as<graph::ReshapeAttrs>().shape) shape.push_back(static_cast<int32_t>(dim));
  return lowered(BuiltinOperator::RESHAPE, 1, fb::CreateReshapeOptionsDirect(b, &shape));
}

Lowered lower_strided_slice(FlatBufferBuilder& b, const Node& node, int version) {
  int drop = 0;
  for (int axis : node.as<graph::StridedSliceAttrs>().drop) drop |= 1 << axis;
  constexpr int kBatch = 1;
  return lowered(BuiltinOperator::STRIDED_SLICE, version, fb::CreateStridedSliceOptions(b, kBatch, kBatch, 0, 0, drop));
}

Lowered lower_resize_nearest(FlatBufferBuilder& b, const Node& node, int version) {
  const auto& a = node.as<graph::ResizeNearestAttrs>();
  const bool newer = a.align_corners || a.half_pixel;
  return lowered(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, newer ? 3 : version, fb::CreateResizeNearestNeighborOptions(b, a.align_corners, a.half_pixel));
}

}  // namespace

Lowered lower(FlatBufferBuilder& b, const graph::Graph& graph, const Node& node, graph::PaddingMode padding) {
  KINGLET_CHECK(node.rule == graph::NodeRule::model, graph::describe(node));  // restore_legacy_uint8 has been there
  const int version = int8_version(graph, node);
  switch (node.op) {
    case OpKind::Conv2d:
      return lower_conv2d(b, graph, node, padding);
    case OpKind::DepthwiseConv2d:
      return lower_depthwise(b, graph, node, padding);
    case OpKind::FullyConnected:
      return lowered(BuiltinOperator::FULLY_CONNECTED, fully_connected_version(graph, node),
                     fb::CreateFullyConnectedOptions(b, activation_code(node)));
    case OpKind::Add:
      return lowered(BuiltinOperator::ADD, version, fb::CreateAddOptions(b, activation_code(node)));
    case OpKind::Mul:
      return lowered(BuiltinOperator::MUL, mul_version(graph, node), fb::CreateMulOptions(b, activation_code(node)));
    case OpKind::AveragePool2d:
    case OpKind::MaxPool2d:
      return lower_pool(b, graph, node, padding);
    case OpKind::Mean:
      return lowered(BuiltinOperator::MEAN, version, fb::CreateReducerOptions(b, node.as<graph::MeanAttrs>().keep_dims));
    case OpKind::Reshape:
      return lower_reshape(b, node);
    case OpKind::Pad:
      return lowered(BuiltinOperator::PAD, version, fb::CreatePadOptions(b));
    case OpKind::Softmax:
      return lowered(BuiltinOperator::SOFTMAX, version, fb::CreateSoftmaxOptions(b, node.as<graph::SoftmaxAttrs>().beta));
    case OpKind::Logistic:
      return bare(BuiltinOperator::LOGISTIC, version);
    case OpKind::Relu:
      return bare(BuiltinOperator::RELU, version);
    case OpKind::Relu6:
      return bare(BuiltinOperator::RELU6, version);
    case OpKind::HardSwish:
      return lowered(BuiltinOperator::HARD_SWISH, 1, fb::CreateHardSwishOptions(b));
    case OpKind::Transpose:
      return lowered(BuiltinOperator::TRANSPOSE, version, fb::CreateTransposeOptions(b));
    case OpKind::Concatenation:
      return lowered(BuiltinOperator::CONCATENATION, version, fb::CreateConcatenationOptions(b, node.as<graph::ConcatenationAttrs>().axis));
    case OpKind::StridedSlice:
      return lower_strided_slice(b, node, version);
    case OpKind::ResizeNearest:
      return lower_resize_nearest(b, node, version);
    case OpKind::ArgMax:
      return lowered(BuiltinOperator::ARG_MAX, version,
                     fb::CreateArgMaxOptions(b, node.as<graph::ArgMaxAttrs>().wide ? fb::TensorType::INT64 : fb::TensorType::INT32));
    case OpKind::Quantize:
      return lowered(BuiltinOperator::QUANTIZE, 1, fb::CreateQuantizeOptions(b));
    case OpKind::Dequantize:
      return lowered(BuiltinOperator::DEQUANTIZE, version, fb::CreateDequantizeOptions(b));
    case OpKind::BatchNorm:
      ops::refuse(node, "cannot be written to TensorFlow Lite", "fold the batch normalization first");
    case OpKind::Dropout:
      ops::refuse(node, "cannot be written to TensorFlow Lite", "remove what only training needs first");
    case OpKind::FakeQuantize:
      ops::refuse(node, "cannot be written to TensorFlow Lite", "convert the quantization first");
    case OpKind::Opaque:
      ops::refuse(node, "is the operator " + graph::describe(node.as<graph::OpaqueAttrs>()) + ", which Kinglet does not run, and cannot be written");
  }
  KINGLET_CHECK(false);
}

}  // namespace kinglet::formats::tflite
