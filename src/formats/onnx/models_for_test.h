// Models and figures that the tests of this folder share.
#pragma once

#include <gtest/gtest.h>

#include "base/error.h"
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

/// A file by hand, as other exporters write them.
struct TestFile {
  pb::ModelProto model;
  pb::GraphProto& graph = *model.mutable_graph();

  TestFile(int opset, std::vector<int64_t> input, std::vector<int64_t> output) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
    value(graph.add_input(), "x", input);
    value(graph.add_output(), "y", output);
  }
  static void value(pb::ValueInfoProto* info, const std::string& name, const std::vector<int64_t>& dims) {
    info->set_name(name);
    info->mutable_type()->mutable_tensor_type()->set_elem_type(pb::TensorProto::FLOAT);
    for (int64_t dim : dims) info->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
  }
  pb::NodeProto& node(const char* op, std::vector<std::string> inputs, const std::string& output) {
    auto* node = graph.add_node();
    node->set_op_type(op);
    for (const auto& name : inputs) node->add_input(name);
    node->add_output(output);
    return *node;
  }
  static void integers(pb::NodeProto& node, const char* name, std::vector<int64_t> values) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(pb::AttributeProto::INTS);
    for (int64_t v : values) attribute->add_ints(v);
  }
  static void integer(pb::NodeProto& node, const char* name, int64_t value) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(pb::AttributeProto::INT);
    attribute->set_i(value);
  }
  static void text(pb::NodeProto& node, const char* name, const std::string& value) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(pb::AttributeProto::STRING);
    attribute->set_s(value);
  }
  pb::TensorProto& initializer(const char* name, int32_t type, std::vector<int64_t> dims) {
    auto* tensor = graph.add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (int64_t dim : dims) tensor->add_dims(dim);
    return *tensor;
  }
  void floats(const char* name, std::vector<int64_t> dims, std::vector<float> values) {
    auto& tensor = initializer(name, pb::TensorProto::FLOAT, std::move(dims));
    for (float v : values) tensor.add_float_data(v);
  }
  void longs(const char* name, std::vector<int64_t> values) {
    auto& tensor = initializer(name, pb::TensorProto::INT64, {static_cast<int64_t>(values.size())});
    for (int64_t v : values) tensor.add_int64_data(v);
  }
  void byte(const char* name, int32_t type, int32_t value) { initializer(name, type, {}).add_int32_data(value); }
  /// Elements 0, 1, 2, ... in float_data.
  void counting(const char* name, std::vector<int64_t> dims) {
    auto* tensor = graph.add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(pb::TensorProto::FLOAT);
    int64_t n = 1;
    for (int64_t dim : dims) tensor->add_dims(dim), n *= dim;
    for (int64_t i = 0; i < n; ++i) tensor->add_float_data(static_cast<float>(i));
  }
  graph::Model import() const {
    const std::string text = model.SerializeAsString();
    return import_model(std::as_bytes(std::span(text)), "m.onnx");
  }
  std::string message() const {
    try {
      import();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
};

inline int count_nodes(std::span<const std::byte> bytes, std::string_view op) {
  const File file(bytes, "m.onnx");
  int count = 0;
  for (const auto& node : file.graph().node()) count += node.op_type() == op;
  return count;
}

}  // namespace kinglet::formats::onnx
