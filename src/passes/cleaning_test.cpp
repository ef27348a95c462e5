// The small passes: dropout, identities, padding, activations, constants, unused nodes.
#include <gtest/gtest.h>

#include "graph/print.h"
#include "ops/op_info.h"
#include "passes/passes.h"
#include "passes/test_net.h"

namespace kinglet::passes {

using graph::OpKind;

TEST(RemoveDropout, KeepsTheOutputsName) {
  TestNet net;
  const auto y = net.relu(net.input(Shape{1, 3}), "r");
  graph::Graph graph = net.finish(net.node(OpKind::Dropout, graph::DropoutAttrs{0.2f}, y, "scores"));
  PassLog log;
  remove_dropout(graph, log);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx3 float32\n"
            "%scores: Nx3 float32 = relu(%x)\n"
            "output %scores\n");
}

TEST(RemoveIdentity, TakesOutWhatDoesNothing) {
  TestNet net;
  auto y = net.node(OpKind::Reshape, graph::ReshapeAttrs{{4, 4, 2}}, net.input(Shape{1, 4, 4, 2}), "reshape");
  y = net.node(OpKind::Pad, graph::PadAttrs{{0, 0, 0, 0}, {0, 0, 0, 0}}, net.relu(y, "r"), "pad");
  y = net.node(OpKind::MaxPool2d, graph::Pool2dAttrs{}, y, "pool");
  graph::Graph graph = net.finish(net.node(OpKind::Reshape, graph::ReshapeAttrs{{32}}, y, "flat"));
  PassLog log;
  remove_identity(graph, log);
  EXPECT_EQ(log.changes, 3);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x2 float32\n"
            "%r: Nx4x4x2 float32 = relu(%x)\n"
            "%flat: Nx32 float32 = reshape(%r) shape=[32]\n"
            "output %flat\n");
}

TEST(RemoveIdentity, KeepsAQuantizeThatChangesTheGrid) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 4}, DType::s8, graph::QuantParams::per_tensor(0.5f, 0));
  const auto same = builder.node(OpKind::Quantize, graph::NoAttrs{}, {x}, "same", graph::QuantParams::per_tensor(0.5f, 0));
  const auto other = builder.node(OpKind::Quantize, graph::NoAttrs{}, {same}, "other", graph::QuantParams::per_tensor(0.25f, 0));
  builder.output(other);
  graph::Graph graph = builder.finish();
  PassLog log;
  remove_identity(graph, log);
  ASSERT_EQ(graph.node_count(), 1);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "other");
}

TEST(FusePad, BecomesExplicitPadding) {
  TestNet net;
  const auto padded = net.node(OpKind::Pad, graph::PadAttrs{{0, 0, 1, 0}, {0, 1, 2, 0}}, net.input(Shape{1, 4, 4, 2}), "pad");
  graph::Graph graph = net.finish(net.conv(padded, 2, "conv", {3, 1, {}, true}));
  PassLog log;
  fuse_pad(graph, log);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x2 float32\n"
            "param %conv_w: 2x3x3x2 float32\n"
            "param %conv_b: 2 float32\n"
            "%conv: Nx3x5x2 float32 = conv2d(%x, %conv_w, %conv_b) padding=[0,1,1,2]\n"
            "output %conv\n");
}

TEST(FusePad, LeavesChannelPaddingAndSharedPaddingAlone) {
  TestNet net;
  const auto channels = net.node(OpKind::Pad, graph::PadAttrs{{0, 0, 0, 1}, {0, 0, 0, 1}}, net.input(Shape{1, 4, 4, 2}), "channels");
  const auto shared = net.node(OpKind::Pad, graph::PadAttrs{{0, 1, 1, 0}, {0, 1, 1, 0}}, net.conv(channels, 2, "conv0", {3, 1, {}, true}), "shared");
  net.builder().output(shared);
  graph::Graph graph = net.finish(net.conv(shared, 2, "conv1", {3, 1, {}, true}));
  PassLog log;
  fuse_pad(graph, log);
  EXPECT_EQ(log.changes, 0);
  EXPECT_EQ(graph.node_count(), 4);
}

TEST(FuseActivation, JoinsTheOperatorBeforeIt) {
  TestNet net;
  const auto a = net.relu6(net.conv(net.input(Shape{1, 4, 4, 2}), 2, "conv"), "a");
  const auto b = net.relu(net.add(a, a, "sum"), "b");
  graph::Graph graph = net.finish(b);
  PassLog log;
  fuse_activation(graph, log);
  EXPECT_EQ(log.changes, 2);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx4x4x2 float32\n"
            "param %conv_w: 2x3x3x2 float32\n"
            "param %conv_b: 2 float32\n"
            "%conv: Nx4x4x2 float32 = conv2d(%x, %conv_w, %conv_b) padding=same activation=relu6\n"
            "%b: Nx4x4x2 float32 = add(%conv, %conv) activation=relu\n"
            "output %b\n");
}

TEST(FuseActivation, KeepsTheNarrowerOfTwo) {
  TestNet net;
  graph::Graph graph = net.finish(net.relu(net.relu6(net.conv(net.input(Shape{1, 4, 4, 2}), 2, "conv"), "a"), "b"));
  PassLog log;
  fuse_activation(graph, log);
  ASSERT_EQ(graph.node_count(), 1);
  EXPECT_EQ(ops::fused_activation(graph.node(0)), graph::Activation::relu6);
}

TEST(FuseActivation, LeavesAValueThatOthersReadAlone) {
  TestNet net;
  const auto y = net.conv(net.input(Shape{1, 4, 4, 2}), 2, "conv");
  graph::Graph graph = net.finish(net.add(net.relu(y, "a"), y, "sum"));
  PassLog log;
  fuse_activation(graph, log);
  EXPECT_EQ(log.changes, 0);
}

TEST(FoldConstants, DequantizesWeightsPerChannel) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 2});
  const auto q = builder.constant("q", Tensor::of<int8_t>(Shape{2, 2}, std::vector<int8_t>{4, -2, 3, 1}), false, {{0.5f, 2.0f}, {0, 1}, 0});
  const auto w = builder.node(OpKind::Dequantize, graph::NoAttrs{}, {q}, "w");
  builder.output(builder.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, w}, "y"));
  graph::Graph graph = builder.finish();
  PassLog log;
  fold_constants(graph, log);
  ASSERT_EQ(graph.node_count(), 1);
  const auto weights = graph.value(graph.node(0).inputs[1]).constant->data<float>();
  EXPECT_EQ(std::vector<float>(weights.begin(), weights.end()), (std::vector<float>{2.0f, -1.0f, 4.0f, 0.0f}));
}

TEST(RemoveUnused, DropsDeadBranches) {
  TestNet net;
  const auto x = net.input(Shape{1, 4, 4, 2});
  net.conv(x, 2, "dead");
  graph::Graph graph = net.finish(net.relu(x, "y"));
  PassLog log;
  remove_unused(graph, log);
  EXPECT_EQ(graph::to_text(graph), "input %x: Nx4x4x2 float32\n%y: Nx4x4x2 float32 = relu(%x)\noutput %y\n");
}

}  // namespace kinglet::passes
