#include <gtest/gtest.h>

#include "graph/print.h"
#include "ops/builder.h"
#include "ops/verify.h"
#include "passes/passes.h"

namespace kinglet::passes {
namespace {

using graph::OpKind;
using graph::QuantParams;

/// x u8 -> conv2d -> relu6 -> y u8, weights around 120.
graph::Graph legacy_net() {
  ops::GraphBuilder b;
  const auto x = b.input("x", {1, 4, 4, 1}, DType::u8, QuantParams::per_tensor(0.5f, 128));
  const auto w = b.constant("w", Tensor::of<uint8_t>(Shape{2, 1, 1, 1}, std::vector<uint8_t>{0, 255}), false, QuantParams::per_tensor(0.1f, 120));
  const auto bias = b.constant("b", Tensor::of<int32_t>(Shape{2}, std::vector<int32_t>{1, 2}));
  const auto y = b.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w, bias}, "conv", QuantParams::per_tensor(0.2f, 3));
  b.output(b.node(OpKind::Relu6, graph::NoAttrs{}, {y}, "y", QuantParams::per_tensor(0.2f, 0)));
  return b.finish();
}

TEST(ConvertLegacyUint8, MovesEverythingInsideAndKeepsTheBorders) {
  auto graph = legacy_net();
  PassLog log;
  convert_legacy_uint8(graph, log);
  ops::verify(graph, "test");
  EXPECT_EQ(log.changes, 2);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x1 uint8 (0.5, 128)\n"
            "const %w: 2x1x1x1 int8 (0.1, -8)\n"
            "const %b: 2 int32\n"
            "%x_int8: Nx4x4x1 int8 (0.5, 0) = quantize(%x)\n"
            "%conv: Nx4x4x2 int8 (0.2, -125) = conv2d(%x_int8, %w, %b) rule=legacy_u8\n"
            "%y_int8: Nx4x4x2 int8 (0.2, -128) = relu6(%conv) rule=legacy_u8\n"
            "%y: Nx4x4x2 uint8 (0.2, 0) = quantize(%y_int8)\n"
            "output %y\n");
  const auto w = graph.value(graph.node(1).inputs[1]).constant->data<int8_t>();
  EXPECT_EQ(w[0], -128);
  EXPECT_EQ(w[1], 127);
}

TEST(ConvertLegacyUint8, LeavesAUint8ShellAroundAnInt8BodyAlone) {
  ops::GraphBuilder b;
  const auto x = b.input("x", {1, 4}, DType::u8, QuantParams::per_tensor(0.5f, 128));
  const auto inner = b.node(OpKind::Quantize, graph::NoAttrs{}, {x}, "inner", QuantParams::per_tensor(0.5f, 0));
  b.output(b.node(OpKind::Relu, graph::NoAttrs{}, {inner}, "y", QuantParams::per_tensor(0.5f, 0)));
  auto graph = b.finish();
  const auto before = graph::to_text(graph);
  PassLog log;
  convert_legacy_uint8(graph, log);
  EXPECT_EQ(log.changes, 0);
  EXPECT_EQ(graph::to_text(graph), before);
}

}  // namespace
}  // namespace kinglet::passes
