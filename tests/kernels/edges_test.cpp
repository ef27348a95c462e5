// Shapes and numbers that real files hold and random ones seldom meet, each on every instruction set against the reference.
#include <gtest/gtest.h>

#include "compare.h"
#include "ops/builder.h"

namespace kinglet::testing {
namespace {

using graph::OpKind;
using graph::QuantParams;
using graph::ValueId;

Tensor bytes(Shape shape, uint64_t item) {
  Tensor t(DType::s8, std::move(shape));
  RandomStream random(test_seed(), 77, item, Purpose::draw);
  for (auto& v : t.mutable_data<int8_t>()) v = static_cast<int8_t>(static_cast<int>(random.below(255)) - 127);
  return t;
}

struct Net {
  ops::GraphBuilder b;
  ValueId input(Shape shape, QuantParams quant, const char* name = "x") { return b.input(name, std::move(shape), DType::s8, std::move(quant)); }
  void check(const std::string& name, OpKind op, graph::Attrs attrs, std::vector<ValueId> inputs, QuantParams out) {
    b.output(b.node(op, std::move(attrs), std::move(inputs), "y", std::move(out)));
    const Case c{name, b.finish()};
    for (auto numerics : {ops::Numerics::tflm, ops::Numerics::tflite214, ops::Numerics::litert2}) compare(c, numerics, 3);
  }
};

QuantParams per_channel(int64_t n, int axis, float scale) { return {std::vector<float>(static_cast<size_t>(n), scale), std::vector<int32_t>(static_cast<size_t>(n), 0), axis}; }

void convolution(const std::string& name, float weight_scale, float out_scale, const std::vector<int32_t>& biases) {
  const auto channels = static_cast<int64_t>(biases.size());
  Net net;
  const auto x = net.input({1, 6, 5, 3}, QuantParams::per_tensor(0.5f, -3));
  const auto w = net.b.constant("w", bytes({channels, 3, 3, 3}, 1), false, per_channel(channels, 0, weight_scale));
  const auto bias = net.b.constant("b", Tensor::of<int32_t>(Shape{channels}, biases));
  graph::Conv2dAttrs attrs;
  attrs.padding.mode = graph::PaddingMode::same;
  net.check(name, OpKind::Conv2d, attrs, {x, w, bias}, QuantParams::per_tensor(out_scale, 5));
}

TEST(Edges, MultiplierBelowTwoToTheMinus32IsZero) { convolution("tiny multiplier", 1e-12f, 1.0f, std::vector<int32_t>(17, 1000)); }
TEST(Edges, MultiplierAboveOne) { convolution("multiplier of 1.14", 1.14f, 0.5f, std::vector<int32_t>(17, -40)); }

TEST(Edges, BiasesUpTo2To30) {
  constexpr int32_t kLarge = 1 << 30;
  convolution("large biases", 1e-7f, 1.0f, {kLarge, -kLarge, kLarge - 1, 1 - kLarge, 0, 12345678, -87654321});
}

TEST(Edges, ProductWithMultiplierAboveOne) {
  Net net;
  const auto a = net.input({1, 3, 4, 17}, QuantParams::per_tensor(1.2f, 9)), b = net.input({1, 1, 1, 17}, QuantParams::per_tensor(0.95f, -4), "gate");
  net.check("mul by 1.14", OpKind::Mul, graph::ActivationAttrs{}, {a, b}, QuantParams::per_tensor(1.0f, -1));
}

TEST(Edges, ProductWithOneFactorAChannel) {
  for (int64_t c : {1, 3, 16, 33}) {
    Net net;
    const auto a = net.input({1, 5, 7, c}, QuantParams::per_tensor(0.02f, 3)), b = net.input({1, 1, 1, c}, QuantParams::per_tensor(1.0f / 256, -128), "gate");
    net.check("gate", OpKind::Mul, graph::ActivationAttrs{}, {a, b}, QuantParams::per_tensor(0.015f, 0));
  }
}

TEST(Edges, SumWithAConstantAndWithAScalar) {
  for (Shape other : {Shape{1, 4, 4, 17}, Shape{1}, Shape{}, Shape{17}})
    for (const bool first : {false, true}) {
      Net net;
      const auto x = net.input({1, 4, 4, 17}, QuantParams::per_tensor(0.02f, 3));
      const auto c = net.b.constant("c", bytes(other, 2), false, QuantParams::per_tensor(0.01f, 100));
      net.check("add a constant of " + other.str(), OpKind::Add, graph::ActivationAttrs{graph::Activation::relu6}, first ? std::vector{c, x} : std::vector{x, c}, QuantParams::per_tensor(0.03f, -100));
    }
}

TEST(Edges, DepthwiseMultiplier8AndKernelsOf5And7) {
  for (int64_t c : {1, 3})
    for (int multiplier : {1, 8})
      for (int64_t kernel : {3, 5, 7})
        for (int stride : {1, 2}) {
          Net net;
          const auto x = net.input({1, 11, 9, c}, QuantParams::per_tensor(0.02f, -7));
          const auto w = net.b.constant("w", bytes({1, kernel, kernel, c * multiplier}, 3), false, per_channel(c * multiplier, 3, 0.01f));
          graph::DepthwiseConv2dAttrs attrs;
          attrs.multiplier = multiplier;
          attrs.stride_h = attrs.stride_w = stride;
          attrs.padding.mode = graph::PaddingMode::same;
          net.check("depthwise " + std::to_string(kernel) + "x" + std::to_string(multiplier), OpKind::DepthwiseConv2d, attrs, {x, w}, QuantParams::per_tensor(0.05f, 0));
        }
}

TEST(Edges, FullyConnectedFlattensFourDimensions) {
  Net net;
  const auto x = net.input({1, 3, 5, 7}, QuantParams::per_tensor(0.02f, 11));
  const auto w = net.b.constant("w", bytes({9, 105}, 4), false, QuantParams::per_tensor(0.01f, 0));
  net.check("fully connected", OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, w}, QuantParams::per_tensor(0.1f, 0));
}

TEST(Edges, MeanChangesItsScaleAndMayKeepItsAxes) {
  for (const bool keep : {false, true}) {
    Net net;
    const auto x = net.input({1, 7, 7, 33}, QuantParams::per_tensor(0.02f, 11));
    net.check("mean", OpKind::Mean, graph::MeanAttrs{{1, 2}, keep}, {x}, QuantParams::per_tensor(0.0137f, -90));
  }
}

TEST(Edges, SoftmaxOverTheLastOfFourAxes) {
  Net net;
  const auto x = net.input({1, 3, 2, 21}, QuantParams::per_tensor(0.1f, 20));
  net.check("softmax", OpKind::Softmax, graph::SoftmaxAttrs{}, {x}, QuantParams::per_tensor(1.0f / 256, -128));
}

TEST(Edges, HardSwishOverAllScales) {
  for (float in : {0.001f, 0.02f, 0.05f, 0.3f, 2.0f})
    for (float out : {0.01f, 0.05f, 0.5f}) {
      Net net;
      const auto x = net.input({1, 256}, QuantParams::per_tensor(in, -10));
      if (in / out < 128) net.check("hard swish", OpKind::HardSwish, graph::NoAttrs{}, {x}, QuantParams::per_tensor(out, 20));
    }
}

}  // namespace
}  // namespace kinglet::testing
