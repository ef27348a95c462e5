#include "quantize/dequantize.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/print.h"
#include "ops/builder.h"

namespace kinglet::quantize {

using graph::OpKind;
using graph::QuantParams;

TEST(Dequantize, GivesBackFloatsAndTakesTheBordersOut) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 2}, DType::u8, QuantParams::per_tensor(0.5f, 128));
  graph::Value inner;
  inner.name = "x8", inner.dtype = DType::s8, inner.shape = Shape{1, 2}, inner.quant = QuantParams::per_tensor(0.5f, 0);
  const auto q = builder.node(OpKind::Quantize, graph::NoAttrs{}, {x}, "x8", inner.quant);
  const auto w = builder.constant("w", Tensor::of<int8_t>(Shape{2, 2}, std::vector<int8_t>{4, -2, 3, 1}), false, {{0.5f, 2.0f}, {0, 0}, 0});
  const auto b = builder.constant("b", Tensor::of<int32_t>(Shape{2}, std::vector<int32_t>{8, -3}));  // no scale of its own: 0.25 and 1
  builder.output(builder.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {q, w, b}, "y", QuantParams::per_tensor(0.1f, 4)));
  graph::Model model;
  model.graph = builder.finish();
  const graph::Model result = dequantize_model(model);
  EXPECT_EQ(graph::to_text(result.graph),
            "input %x: Nx2 float32\n"
            "param %w: 2x2 float32\n"
            "param %b: 2 float32\n"
            "%y: Nx2 float32 = fully_connected(%x, %w, %b)\n"
            "output %y\n");
  const auto weights = result.graph.value(result.graph.node(0).inputs[1]).constant->data<float>();
  EXPECT_EQ(std::vector<float>(weights.begin(), weights.end()), (std::vector<float>{2.0f, -1.0f, 6.0f, 2.0f}));
  const auto bias = result.graph.value(result.graph.node(0).inputs[2]).constant->data<float>();
  EXPECT_EQ(std::vector<float>(bias.begin(), bias.end()), (std::vector<float>{2.0f, -3.0f}));
}

TEST(Dequantize, RefusesAFloatModel) {
  ops::GraphBuilder builder;
  builder.output(builder.node(OpKind::Relu, graph::NoAttrs{}, {builder.input("x", Shape{1, 2})}, "y"));
  graph::Model model;
  model.graph = builder.finish();
  EXPECT_THROW(dequantize_model(model), Error);
}

}  // namespace kinglet::quantize
