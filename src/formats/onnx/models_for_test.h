// Models and figures that the tests of this folder share.
#pragma once

#include <gtest/gtest.h>

#include "base/random.h"
#include "formats/onnx/file.h"
#include "formats/onnx/onnx.h"
#include "ops/builder.h"
#include "random_graph.h"
#include "reference/interpreter.h"

namespace kinglet::formats::onnx {

inline Tensor random_tensor(DType dtype, const Shape& shape, uint64_t seed) {
  Tensor x(dtype, shape);
  RandomStream random(seed, 1, 0, Purpose::draw);
  for (size_t i = 0; i < static_cast<size_t>(x.elements()); ++i) {
    if (dtype == DType::f32) x.mutable_data<float>()[i] = static_cast<float>(random.uniform(-1, 1));
    else x.mutable_bytes()[i] = static_cast<std::byte>(random.bits());
  }
  return x;
}

/// 5x4x3 pictures: convolution with PyTorch's padding, depthwise SAME, BatchNorm, relu6, residual, a scaling by channel,
/// flatten of a 3x2 picture, two dense layers, softmax. Everything that depends on the order of axes.
inline graph::Model picture_model() {
  using graph::OpKind;
  using graph::PaddingMode;
  ops::GraphBuilder b;
  uint64_t seed = 0;
  auto weights = [&](const char* name, const Shape& shape) { return b.constant(name, random_tensor(DType::f32, shape, ++seed), true); };
  auto positive = [&](const char* name, int64_t n) {
    Tensor t = random_tensor(DType::f32, Shape{n}, ++seed);
    for (float& v : t.mutable_data<float>()) v = v * v + 0.5f;
    return b.constant(name, t);
  };
  const auto x = b.input("x", Shape{1, 5, 4, 3});
  const auto conv = b.node(OpKind::Conv2d, graph::Conv2dAttrs{.stride_h = 2, .stride_w = 2, .padding = {PaddingMode::explicit_, 1, 1, 1, 1}},
                           {x, weights("conv/w", Shape{4, 3, 3, 3}), weights("conv/b", Shape{4})}, "conv");
  const auto norm = b.node(OpKind::BatchNorm, graph::BatchNormAttrs{.eps = 1e-3f},
                           {conv, positive("gamma", 4), weights("beta", Shape{4}), weights("mean", Shape{4}), positive("var", 4)}, "norm");
  const auto clip = b.node(OpKind::Relu6, graph::NoAttrs{}, {norm}, "clip");
  const auto dw = b.node(OpKind::DepthwiseConv2d,
                         graph::DepthwiseConv2dAttrs{.padding = {.mode = PaddingMode::same}, .activation = graph::Activation::relu},
                         {clip, weights("dw/w", Shape{1, 3, 3, 4})}, "dw");
  const auto sum = b.node(OpKind::Add, graph::ActivationAttrs{}, {dw, clip}, "sum");
  const auto scaled = b.node(OpKind::Mul, graph::ActivationAttrs{}, {sum, weights("scale", Shape{4})}, "scaled");
  const auto flat = b.node(OpKind::Reshape, graph::ReshapeAttrs{{24}}, {scaled}, "flat");
  const auto fc = b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{.activation = graph::Activation::relu},
                         {flat, weights("fc/w", Shape{6, 24}), weights("fc/b", Shape{6})}, "fc");
  const auto logits = b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {fc, weights("head/w", Shape{2, 6})}, "logits");
  b.output(b.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {logits}, "scores"));
  graph::Model model;
  model.name = "picture";
  model.graph = b.finish();
  model.labels = {"grün", "red"};
  model.input.height = 5, model.input.width = 4, model.input.channels = 3;
  graph::set_origins(model.input, graph::Origin::embedded);
  return model;
}

inline int count_nodes(std::span<const std::byte> bytes, std::string_view op) {
  const File file(bytes, "m.onnx");
  int count = 0;
  for (const auto& node : file.graph().node()) count += node.op_type() == op;
  return count;
}

}  // namespace kinglet::formats::onnx
