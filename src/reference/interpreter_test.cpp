#include "reference/interpreter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "ops/builder.h"

namespace kinglet::reference {
namespace {

using graph::OpKind;
using graph::QuantParams;

Tensor floats(Shape shape, std::vector<float> v) { return Tensor::of<float>(shape, v); }
Tensor bytes(Shape shape, std::vector<int8_t> v) { return Tensor::of<int8_t>(shape, v); }
std::vector<float> f(const Tensor& t) { return {t.data<float>().begin(), t.data<float>().end()}; }
std::vector<int8_t> q(const Tensor& t) { return {t.data<int8_t>().begin(), t.data<int8_t>().end()}; }

/// Runs one operator on x (and constants) and returns its output.
Tensor one(OpKind op, graph::Attrs attrs, const Tensor& x, QuantParams xq, QuantParams yq, std::vector<std::pair<Tensor, QuantParams>> rest = {}) {
  ops::GraphBuilder b;
  std::vector<graph::ValueId> in{b.input("x", x.shape().with_dim(0, 1), x.dtype(), xq)};
  for (auto& [tensor, quant] : rest) in.push_back(b.constant("c" + std::to_string(in.size()), tensor, false, quant));
  b.output(b.node(op, attrs, in, "y", yq));
  const auto graph = b.finish();
  return run(graph, std::span(&x, 1))[0];
}

TEST(Conv2d, HandComputedFloatWithExplicitPaddingAndBatch) {
  graph::Conv2dAttrs a;
  a.padding = {graph::PaddingMode::explicit_, 1, 0, 0, 0};
  a.activation = graph::Activation::relu6;
  // 2x1 kernel (1, 10) down a 2x1 picture padded by one row above: 0*1 + 1*10 (cut to 6), 1*1 + 2*10.
  const auto y = one(OpKind::Conv2d, a, floats({2, 2, 1, 1}, {0.1f, 0.2f, 1, 2}), {}, {}, {{floats({1, 2, 1, 1}, {1, 10}), {}}, {floats({1}, {0.5f}), {}}});
  EXPECT_EQ(f(y), (std::vector<float>{1.5f, 2.6f, 6, 6}));
}

TEST(Conv2d, Int8PerChannel) {
  // real x = 0.5 * (q + 128); weights 0.1 * {10, -20}; bias {5, 7} in 0.05 and 0.1 steps; output step 0.25, zero point -3.
  const auto y = one(OpKind::Conv2d, graph::Conv2dAttrs{}, bytes({1, 1, 1, 1}, {-120}), QuantParams::per_tensor(0.5f, -128), QuantParams::per_tensor(0.25f, -3),
                     {{bytes({2, 1, 1, 1}, {10, -20}), {{0.1f, 0.2f}, {0, 0}, 0}}, {Tensor::of<int32_t>({2}, std::vector<int32_t>{5, 7}), {{0.05f, 0.1f}, {0, 0}, 0}}});
  EXPECT_EQ(q(y), (std::vector<int8_t>{14, -64}));  // (80+5)*0.05/0.25 = 17; (-160+7)*0.1/0.25 = -61.2
}

TEST(DepthwiseConv2d, MultiplierOrdersChannels) {
  graph::DepthwiseConv2dAttrs a;
  a.multiplier = 2;
  const auto y = one(OpKind::DepthwiseConv2d, a, floats({1, 1, 1, 2}, {3, 5}), {}, {}, {{floats({1, 1, 1, 4}, {1, 2, 3, 4}), {}}});
  EXPECT_EQ(f(y), (std::vector<float>{3, 6, 15, 20}));
}

TEST(FullyConnected, FlattensNhwc) {
  const auto y = one(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, floats({1, 1, 2, 2}, {1, 2, 3, 4}), {}, {}, {{floats({1, 4}, {1, 10, 100, 1000}), {}}});
  EXPECT_EQ(f(y), (std::vector<float>{4321}));
}

TEST(Add, BroadcastsAndRequantizes) {
  EXPECT_EQ(f(one(OpKind::Add, graph::ActivationAttrs{}, floats({1, 2, 1, 2}, {1, 2, 3, 4}), {}, {}, {{floats({2}, {10, 20}), {}}})), (std::vector<float>{11, 22, 13, 24}));
  const auto y = one(OpKind::Add, graph::ActivationAttrs{}, bytes({1, 2}, {10, -10}), QuantParams::per_tensor(0.1f, 0), QuantParams::per_tensor(0.2f, 1),
                     {{bytes({1}, {20}), QuantParams::per_tensor(0.05f, 0)}});
  EXPECT_EQ(q(y), (std::vector<int8_t>{11, 1}));  // (1 + 1) / 0.2 + 1, (-1 + 1) / 0.2 + 1
}

TEST(Mul, ChannelScale) {
  EXPECT_EQ(f(one(OpKind::Mul, graph::ActivationAttrs{}, floats({1, 2, 1, 2}, {1, 2, 3, 4}), {}, {}, {{floats({1, 1, 1, 2}, {10, 0}), {}}})), (std::vector<float>{10, 0, 30, 0}));
}

TEST(Pooling, CountsPixelsInsideOnlyAndRoundsAwayFromZero) {
  graph::Pool2dAttrs a{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  a.padding.mode = graph::PaddingMode::same;
  const auto x = floats({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(f(one(OpKind::AveragePool2d, a, x, {}, {})), (std::vector<float>{3, 4.5f, 7.5f, 9}));
  EXPECT_EQ(f(one(OpKind::MaxPool2d, a, x, {}, {})), (std::vector<float>{5, 6, 8, 9}));
  const auto same = QuantParams::per_tensor(1, 0);
  graph::Pool2dAttrs two{.kernel_h = 1, .kernel_w = 2};
  EXPECT_EQ(q(one(OpKind::AveragePool2d, two, bytes({1, 1, 2, 1}, {-2, -1}), same, same)), (std::vector<int8_t>{-2}));
  EXPECT_EQ(q(one(OpKind::AveragePool2d, two, bytes({1, 1, 2, 1}, {2, 1}), same, same)), (std::vector<int8_t>{2}));
}

TEST(Mean, FloatAndScaleChange) {
  EXPECT_EQ(f(one(OpKind::Mean, graph::MeanAttrs{{1, 2}}, floats({1, 2, 1, 2}, {1, 2, 3, 4}), {}, {})), (std::vector<float>{2, 3}));
  const auto y = one(OpKind::Mean, graph::MeanAttrs{{1, 2}, true}, bytes({1, 2, 2, 1}, {1, 2, 3, 4}), QuantParams::per_tensor(0.4f, 0), QuantParams::per_tensor(0.1f, 5));
  EXPECT_EQ(q(y), (std::vector<int8_t>{15}));
  EXPECT_EQ(y.shape(), (Shape{1, 1, 1, 1}));
}

TEST(Pad, IntegerPaddingIsTheZeroPoint) {
  const auto quant = QuantParams::per_tensor(1, -7);
  EXPECT_EQ(q(one(OpKind::Pad, graph::PadAttrs{{0, 0, 1, 0}, {0, 0, 1, 0}}, bytes({1, 1, 1, 1}, {3}), quant, quant)), (std::vector<int8_t>{-7, 3, -7}));
}

TEST(Softmax, FloatRowsSumToOne) {
  const auto y = f(one(OpKind::Softmax, graph::SoftmaxAttrs{}, floats({2, 2}, {0, 0, 1000, 0}), {}, {}));
  EXPECT_EQ(y, (std::vector<float>{0.5f, 0.5f, 1, 0}));
}

TEST(QuantizeDequantize, RoundTrip) {
  const auto quant = QuantParams::per_tensor(0.5f, 10);
  ops::GraphBuilder b;
  auto x = b.input("x", {1, 3});
  auto y = b.node(OpKind::Quantize, graph::NoAttrs{}, {x}, "q", quant);
  b.output(b.node(OpKind::Dequantize, graph::NoAttrs{}, {y}, "d"));
  const auto in = floats({1, 3}, {1.24f, -1.25f, 1000});
  EXPECT_EQ(f(run(b.finish(), std::span(&in, 1))[0]), (std::vector<float>{1, -1.5f, 58.5f}));
}

TEST(BatchNorm, UsesRunningStatistics) {
  const auto y = one(OpKind::BatchNorm, graph::BatchNormAttrs{.eps = 0}, floats({1, 2}, {3, 8}), {}, {},
                     {{floats({2}, {2, 1}), {}}, {floats({2}, {1, 0}), {}}, {floats({2}, {1, 4}), {}}, {floats({2}, {4, 16}), {}}});
  EXPECT_EQ(f(y), (std::vector<float>{3, 1}));
}

TEST(FakeQuantize, PerAxis) {
  graph::FakeQuantizeAttrs a{.scale = {0.5f, 1.0f}, .zero_point = {0, 0}, .axis = 1};
  EXPECT_EQ(f(one(OpKind::FakeQuantize, a, floats({1, 2}, {0.7f, 0.7f}), {}, {})), (std::vector<float>{0.5f, 1.0f}));
}

TEST(Interpreter, RefusesWhatItDoesNotKnowByName) {
  ops::GraphBuilder b;
  auto x = b.input("x", {1, 2});
  graph::Node node;
  node.op = OpKind::Opaque;
  node.attrs = graph::OpaqueAttrs{"CUMSUM", ""};
  node.name = "strange";
  node.inputs = {x};
  graph::Value v;
  v.name = "y";
  v.shape = {1, 2};
  node.outputs = {b.graph().add_value(v)};
  b.graph().add_node(node);
  b.output(node.outputs[0]);
  const auto in = floats({1, 2}, {1, 2});
  try {
    run(b.finish(), std::span(&in, 1));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("strange"), std::string::npos) << e.what();
  }
}

TEST(Interpreter, TapSeesEveryNode) {
  ops::GraphBuilder b;
  auto x = b.input("x", {1, 2});
  x = b.node(OpKind::Relu, graph::NoAttrs{}, {x}, "r");
  b.output(b.node(OpKind::Relu6, graph::NoAttrs{}, {x}, "s"));
  const auto g = b.finish();
  std::vector<std::string> names;
  RunOptions options;
  options.tap = [&](const graph::Node& n, std::span<const Tensor> out) { names.push_back(n.name + out[0].shape().str()); };
  const auto in = floats({3, 2}, {1, 2, 3, -4, 5, 9});
  run(g, std::span(&in, 1), options);
  EXPECT_EQ(names, (std::vector<std::string>{"r3x2", "s3x2"}));
}

}  // namespace
}  // namespace kinglet::reference
