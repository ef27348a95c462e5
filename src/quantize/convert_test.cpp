#include "quantize/convert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/print.h"
#include "ops/verify.h"
#include "passes/test_net.h"

namespace kinglet::quantize {

using graph::OpKind;
using graph::QuantParams;
using passes::TestNet;

namespace {

/// x (1, 1, 1, 2) -> conv 1x1 to 2 channels with weights {{1, -2}, {0.5, 0}} and bias {3, -1}.
struct Small {
  graph::Graph graph;
  std::vector<QuantParams> params;
};

Small small_conv() {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 1, 1, 2});
  const auto w = builder.constant("w", Tensor::of<float>(Shape{2, 1, 1, 2}, std::vector<float>{1.0f, -2.0f, 0.5f, 0.0f}), true);
  const auto b = builder.constant("b", Tensor::of<float>(Shape{2}, std::vector<float>{3.0f, -1.0f}), true);
  builder.output(builder.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w, b}, "y"));
  Small result{builder.finish(), {}};
  result.params = {QuantParams::per_tensor(0.5f, 3), {}, {}, QuantParams::per_tensor(0.25f, -7)};
  return result;
}

}  // namespace

TEST(Convert, QuantizesWeightsPerOutputChannelAndBiasWithTheirProduct) {
  const Small small = small_conv();
  const graph::Graph q = convert(small.graph, small.params);
  ops::verify(q, "test");
  const auto& w = q.value(1);
  EXPECT_EQ(w.quant.axis, 0);
  EXPECT_FLOAT_EQ(w.quant.scale[0], 2.0f / 127.0f);
  EXPECT_FLOAT_EQ(w.quant.scale[1], 0.5f / 127.0f);
  const auto weights = w.constant->data<int8_t>();
  EXPECT_EQ(std::vector<int>(weights.begin(), weights.end()), (std::vector<int>{64, -127, 127, 0}));  // 63.5 rounds away from zero
  const auto bias = q.value(2).constant->data<int32_t>();
  EXPECT_EQ(bias[0], 381);   // 3 / (0.5 * 2/127)
  EXPECT_EQ(bias[1], -508);  // -1 / (0.5 * 0.5/127)
  EXPECT_EQ(graph::to_text(q),
            "input %x: Nx1x1x2 int8 (0.5, 3)\n"
            "const %w: 2x1x1x2 int8 (per axis 0)\n"
            "const %b: 2 int32 (per axis 0)\n"
            "%y: Nx1x1x2 int8 (0.25, -7) = conv2d(%x, %w, %b)\n"
            "output %y\n");
}

TEST(Convert, RaisesTheScaleOfAChannelWhoseBiasWouldNotFit) {
  Small small = small_conv();
  small.graph.value(1).constant = Tensor::of<float>(Shape{2, 1, 1, 2}, std::vector<float>{1e-12f, 0.0f, 0.0f, 0.0f});
  const graph::Graph q = convert(small.graph, small.params);
  EXPECT_NEAR(q.value(2).constant->data<int32_t>()[0], 1 << 30, 100);
  EXPECT_NEAR(q.value(2).quant.scale[0] * q.value(2).constant->data<int32_t>()[0], 3.0, 1e-5);
}

TEST(Convert, FullyConnectedIsPerTensorUnlessAsked) {
  TestNet net;
  const graph::Graph graph = net.finish(net.dense(net.input(Shape{1, 6}), 3, "fc"));
  const std::vector<QuantParams> params{QuantParams::per_tensor(0.5f, 3), {}, {}, QuantParams::per_tensor(0.25f, -7)};
  EXPECT_EQ(convert(graph, params).value(1).quant.scale.size(), 1u);
  EXPECT_EQ(convert(graph, params, {true, {}}).value(1).quant.scale.size(), 3u);
}

TEST(Convert, SharedWeightsKeepTheirFloatsForTheOther) {
  TestNet net;
  const auto x = net.input(Shape{1, 4, 4, 2});
  const auto w = net.param("w", Shape{2, 1, 1, 2}), b = net.param("b", Shape{2});
  const auto first = net.builder().node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w, b}, "first");
  const graph::Graph graph = net.finish(net.builder().node(OpKind::Conv2d, graph::Conv2dAttrs{}, {first, w, b}, "second"));
  std::vector<QuantParams> params(graph.values().size());
  params[static_cast<size_t>(x)] = QuantParams::per_tensor(0.5f, 0);
  params[static_cast<size_t>(first)] = QuantParams::per_tensor(2.0f, 0);
  params[static_cast<size_t>(graph.outputs[0])] = QuantParams::per_tensor(4.0f, 0);
  graph::Graph q = convert(graph, params);
  q.remove_unused();
  ops::verify(q, "test");
  const auto& second = q.value(q.node(1).inputs[2]);
  EXPECT_FLOAT_EQ(second.quant.scale[0] / q.value(q.node(0).inputs[2]).quant.scale[0], 4.0f);
}

TEST(AddBorders, GivesInputsAndOutputsTheWantedType) {
  const Small small = small_conv();
  graph::Graph bytes = convert(small.graph, small.params), floats = bytes;
  add_borders(bytes, Io::uint8);
  ops::verify(bytes, "test");
  EXPECT_EQ(graph::to_text(bytes),
            "input %x: Nx1x1x2 uint8 (0.5, 131)\n"
            "const %w: 2x1x1x2 int8 (per axis 0)\n"
            "const %b: 2 int32 (per axis 0)\n"
            "%x_int8: Nx1x1x2 int8 (0.5, 3) = quantize(%x)\n"
            "%y_int8: Nx1x1x2 int8 (0.25, -7) = conv2d(%x_int8, %w, %b)\n"
            "%y: Nx1x1x2 uint8 (0.25, 121) = quantize(%y_int8)\n"
            "output %y\n");
  add_borders(floats, Io::float32);
  ops::verify(floats, "test");
  EXPECT_EQ(floats.value(floats.inputs[0]).dtype, DType::f32);
  EXPECT_EQ(floats.nodes().back().op, OpKind::Dequantize);
  EXPECT_EQ(floats.value(floats.outputs[0]).name, "y");
}

}  // namespace kinglet::quantize
