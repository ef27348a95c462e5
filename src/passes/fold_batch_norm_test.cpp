#include <gtest/gtest.h>

#include <cmath>

#include "graph/print.h"
#include "passes/passes.h"
#include "passes/test_net.h"

namespace kinglet::passes {

namespace {

/// One channel: weight w, bias b, then gamma, beta, mean, variance.
graph::Graph one_channel(float w, float b, std::vector<float> statistics) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 2, 2, 1});
  auto one = [&](const std::string& name, Shape shape, float v) { return builder.constant(name, Tensor::of<float>(shape, std::vector<float>{v})); };
  const auto y = builder.node(graph::OpKind::Conv2d, graph::Conv2dAttrs{}, {x, one("w", Shape{1, 1, 1, 1}, w), one("b", Shape{1}, b)}, "conv");
  const auto z = builder.node(graph::OpKind::BatchNorm, graph::BatchNormAttrs{0.25f, 0.1f},
                              {y, one("g", Shape{1}, statistics[0]), one("be", Shape{1}, statistics[1]), one("m", Shape{1}, statistics[2]), one("v", Shape{1}, statistics[3])}, "bn");
  builder.output(z);
  return builder.finish();
}

}  // namespace

TEST(FoldBatchNorm, JoinsTheConvolutionBeforeIt) {
  TestNet net;
  const auto x = net.input(Shape{1, 4, 4, 2});
  graph::Graph graph = net.finish(net.relu(net.batch_norm(net.conv(x, 3, "conv", {3, 2, {}, false}), "bn"), "y"));
  PassLog log;
  fold_batch_norm(graph, log);
  EXPECT_EQ(log.changes, 1);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x2 float32\n"
            "param %conv_w_folded: 3x3x3x2 float32\n"
            "param %conv_bias: 3 float32\n"
            "%conv: Nx1x1x3 float32 = conv2d(%x, %conv_w_folded, %conv_bias) stride_h=2 stride_w=2\n"
            "%y: Nx1x1x3 float32 = relu(%conv)\n"
            "output %y\n");
}

TEST(FoldBatchNorm, ComputesScaleAndShift) {
  // gamma 3 / sqrt(0.75 + 0.25) = 3; weight 2 * 3 = 6; bias (5 - 1) * 3 + 0.5 = 12.5.
  graph::Graph graph = one_channel(2.0f, 5.0f, {3.0f, 0.5f, 1.0f, 0.75f});
  PassLog log;
  fold_batch_norm(graph, log);
  ASSERT_EQ(graph.node_count(), 1);
  EXPECT_EQ(graph.value(graph.node(0).inputs[1]).constant->data<float>()[0], 6.0f);
  EXPECT_EQ(graph.value(graph.node(0).inputs[2]).constant->data<float>()[0], 12.5f);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "bn");
}

TEST(FoldBatchNorm, LeavesASharedConvolutionAlone) {
  TestNet net;
  const auto y = net.conv(net.input(Shape{1, 4, 4, 2}), 2, "conv");
  graph::Graph graph = net.finish(net.add(net.batch_norm(y, "bn"), y, "sum"));
  const std::string before = graph::to_text(graph);
  PassLog log;
  fold_batch_norm(graph, log);
  EXPECT_EQ(log.changes, 0);
  EXPECT_EQ(graph::to_text(graph), before);
}

TEST(FoldBatchNorm, JoinsDepthwiseAndFullyConnectedAndChains) {
  TestNet net;
  auto y = net.batch_norm(net.batch_norm(net.depthwise(net.input(Shape{1, 4, 4, 2}), "dw"), "bn0"), "bn1");
  graph::Graph graph = net.finish(net.batch_norm(net.dense(net.mean(y, "mean"), 3, "fc"), "bn2"));
  PassLog log;
  fold_batch_norm(graph, log);
  EXPECT_EQ(log.changes, 3);
  EXPECT_EQ(graph.node_count(), 3);
}

TEST(LowerBatchNorm, BecomesADepthwiseConvolution) {
  TestNet net;
  graph::Graph graph = net.finish(net.batch_norm(net.relu(net.input(Shape{1, 4, 4, 2}), "r"), "bn"));
  PassLog log;
  lower_batch_norm(graph, log);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x2 float32\n"
            "param %bn_scale: 1x1x1x2 float32\n"
            "param %bn_shift: 2 float32\n"
            "%r: Nx4x4x2 float32 = relu(%x)\n"
            "%bn: Nx4x4x2 float32 = depthwise_conv2d(%r, %bn_scale, %bn_shift)\n"
            "output %bn\n");
}

TEST(LowerBatchNorm, BecomesMulAndAddAwayFromPictures) {
  TestNet net;
  graph::Graph graph = net.finish(net.batch_norm(net.relu(net.input(Shape{1, 3}), "r"), "bn"));
  PassLog log;
  lower_batch_norm(graph, log);
  ASSERT_EQ(graph.node_count(), 3);
  EXPECT_EQ(graph.node(1).op, graph::OpKind::Mul);
  EXPECT_EQ(graph.node(2).op, graph::OpKind::Add);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "bn");
}

}  // namespace kinglet::passes
