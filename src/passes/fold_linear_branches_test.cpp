#include <gtest/gtest.h>

#include "graph/print.h"
#include "passes/passes.h"
#include "passes/test_net.h"

namespace kinglet::passes {

namespace {

constexpr graph::Padding kOne{graph::PaddingMode::explicit_, 1, 1, 1, 1};
constexpr graph::Padding kValid{};

PassLog fold(graph::Graph& graph) {
  PassLog log;
  fold_linear_branches(graph, log);
  return log;
}

}  // namespace

TEST(FoldLinearBranches, RepVggBlockBecomesOneConvolution) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  const auto wide = net.batch_norm(net.conv(x, 4, "wide", {3, 1, kOne, false}), "wide_bn");
  const auto narrow = net.batch_norm(net.conv(x, 4, "narrow", {1, 1, kValid, false}), "narrow_bn");
  const auto sum = net.add(net.add(wide, narrow, "sum0"), net.batch_norm(x, "identity_bn"), "sum1");
  graph::Graph graph = net.finish(net.relu(sum, "y"));
  EXPECT_EQ(fold(graph).changes, 1);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx8x8x4 float32\n"
            "param %wide_w_1: 4x3x3x4 float32\n"
            "param %wide_b: 4 float32\n"
            "%sum1: Nx8x8x4 float32 = conv2d(%x, %wide_w_1, %wide_b) padding=[1,1,1,1]\n"
            "%y: Nx8x8x4 float32 = relu(%sum1)\n"
            "output %y\n");
}

TEST(FoldLinearBranches, StridedBranchesShareTheStride) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  const auto sum = net.add(net.conv(x, 6, "wide", {3, 2, kOne, true}), net.conv(x, 6, "narrow", {1, 2, kValid, true}), "sum");
  graph::Graph graph = net.finish(sum);
  EXPECT_EQ(fold(graph).changes, 1);
  ASSERT_EQ(graph.node_count(), 1);
  EXPECT_EQ(graph.node(0).as<graph::Conv2dAttrs>().stride_h, 2);
  EXPECT_EQ(graph.node(0).as<graph::Conv2dAttrs>().padding, kOne);
}

TEST(FoldLinearBranches, DepthwiseBranchesStayDepthwise) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  const auto sum = net.add(net.batch_norm(net.depthwise(x, "dw"), "bn0"), net.batch_norm(x, "bn1"), "sum");
  graph::Graph graph = net.finish(sum);
  EXPECT_EQ(fold(graph).changes, 1);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx8x8x4 float32\n"
            "param %dw_w_1: 1x3x3x4 float32\n"
            "param %dw_b_1: 4 float32\n"
            "%sum: Nx8x8x4 float32 = depthwise_conv2d(%x, %dw_w_1, %dw_b_1) padding=same\n"
            "output %sum\n");
}

TEST(FoldLinearBranches, RefusesPaddingAfterABiasAndSaysWhy) {
  TestNet net;
  const auto y = net.conv1x1(net.input(Shape{1, 8, 8, 4}), 4, "first");
  graph::Graph graph = net.finish(net.conv(y, 4, "second", {3, 1, kOne, true}));
  const PassLog log = fold(graph);
  EXPECT_EQ(log.changes, 0);
  EXPECT_EQ(graph.node_count(), 2);
  ASSERT_EQ(log.notes.size(), 1u);
  EXPECT_EQ(log.notes[0], "conv2d 'second' is not folded: it pads with zeros after a bias was added, so borders would differ");
}

TEST(FoldLinearBranches, TakesTheSameWithoutPaddingOrWithoutBias) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  graph::Graph valid = net.finish(net.conv(net.conv1x1(x, 4, "first"), 4, "second", {3, 1, kValid, true}));
  EXPECT_EQ(fold(valid).changes, 1);
  TestNet other;
  const auto z = other.input(Shape{1, 8, 8, 4});
  graph::Graph no_bias = other.finish(other.conv(other.conv(z, 4, "first", {1, 1, kValid, false}), 4, "second", {3, 1, kOne, true}));
  EXPECT_EQ(fold(no_bias).changes, 1);
}

TEST(FoldLinearBranches, DoesNotWidenKernelsOrAddWork) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  graph::Graph two_wide = net.finish(net.conv(net.conv(x, 4, "first"), 4, "second"));
  EXPECT_EQ(fold(two_wide).changes, 0);
  TestNet bottleneck;  // 16 -> 2 -> 16 channels: the product would be 256 weights where two have 64
  const auto z = bottleneck.input(Shape{1, 8, 8, 16});
  graph::Graph squeeze = bottleneck.finish(bottleneck.conv1x1(bottleneck.conv1x1(z, 2, "down"), 16, "up"));
  EXPECT_EQ(fold(squeeze).changes, 0);
}

TEST(FoldLinearBranches, LeavesResidualSumsOfTwoSourcesAlone) {
  TestNet net;
  const auto x = net.relu(net.input(Shape{1, 8, 8, 4}), "source");
  const auto inner = net.relu(net.conv(x, 4, "first"), "inner");
  graph::Graph graph = net.finish(net.relu(net.add(x, net.conv(inner, 4, "second"), "sum"), "y"));
  const std::string before = graph::to_text(graph);
  const PassLog log = fold(graph);
  EXPECT_EQ(log.changes, 0);
  EXPECT_TRUE(log.notes.empty());
  EXPECT_EQ(graph::to_text(graph), before);
}

TEST(FoldLinearBranches, KeepsAValueThatOthersRead) {
  TestNet net;
  const auto x = net.input(Shape{1, 8, 8, 4});
  const auto middle = net.conv(x, 4, "middle");
  net.builder().output(net.relu(middle, "side"));
  graph::Graph graph = net.finish(net.batch_norm(middle, "bn"));
  EXPECT_EQ(fold(graph).changes, 0);  // folding would compute the convolution twice
}

}  // namespace kinglet::passes
