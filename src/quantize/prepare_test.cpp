#include "quantize/prepare.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "passes/test_net.h"
#include "quantize/test_pictures.h"

namespace kinglet::quantize {

using graph::OpKind;
using passes::TestNet;

namespace {

int group_of(const Prepared& prepared, const graph::Graph& graph, const std::string& name) {
  for (size_t v = 0; v < graph.values().size(); ++v)
    if (graph.values()[v].name == name) return prepared.group[v];
  return -2;
}

}  // namespace

TEST(Prepare, PoolsShareTheirInputsScaleAndSumsDoNot) {
  TestNet net;
  const auto a = net.relu(net.conv(net.input(Shape{1, 4, 4, 2}), 2, "conv"), "a");
  const auto pool = net.node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, 2, 2, {}, {}}, a, "pool");
  const auto flat = net.node(OpKind::Reshape, graph::ReshapeAttrs{{8}}, net.add(pool, pool, "sum"), "flat");
  const graph::Graph graph = net.finish(net.node(OpKind::Softmax, graph::SoftmaxAttrs{}, flat, "y"));
  const Prepared p = prepare(graph, unit_spec(4, 4, 2));
  EXPECT_EQ(group_of(p, graph, "a"), group_of(p, graph, "pool"));
  EXPECT_EQ(group_of(p, graph, "sum"), group_of(p, graph, "flat"));
  EXPECT_NE(group_of(p, graph, "pool"), group_of(p, graph, "sum"));
  EXPECT_EQ(group_of(p, graph, "conv_w"), -1);
  const auto& softmax = p.fixed[static_cast<size_t>(group_of(p, graph, "y"))];
  ASSERT_TRUE(softmax.has_value());
  EXPECT_EQ(*softmax, graph::QuantParams::per_tensor(1.0f / 256.0f, -128));
}

TEST(Prepare, TheContractGivesTheInput) {
  EXPECT_EQ(contract_params(unit_spec(4, 4, 3)), graph::QuantParams::per_tensor(1.0f / 255.0f, -128));
  graph::InputSpec raw = unit_spec(4, 4, 3);
  raw.divisor = 1.0;
  EXPECT_EQ(contract_params(raw), graph::QuantParams::per_tensor(1.0f, -128));
  graph::InputSpec spread = unit_spec(4, 4, 3);  // -0.5/0.2 .. (1 - 0.2)/0.25
  spread.mean = {0.5, 0.2, 0.4}, spread.stddev = {0.2, 0.25, 0.5};
  EXPECT_NEAR(contract_params(spread).scale[0], 5.7 / 255.0, 1e-7);
}

TEST(Prepare, RefusesByName) {
  TestNet net;
  const graph::Graph unfolded = net.finish(net.batch_norm(net.input(Shape{1, 4, 4, 2}), "bn7"));
  try {
    prepare(unfolded, unit_spec(4, 4, 2));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("bn7"), std::string::npos);
  }
}

TEST(Prepare, AGivenScaleHoldsForItsWholeGroup) {
  TestNet net;
  const auto pool = net.node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, 2, 2, {}, {}}, net.input(Shape{1, 4, 4, 2}), "pool");
  const graph::Graph graph = net.finish(net.node(OpKind::Logistic, graph::NoAttrs{}, pool, "y"));
  const Prepared p = prepare(graph, unit_spec(4, 4, 2));
  EXPECT_EQ(group_of(p, graph, "x"), group_of(p, graph, "pool"));
  EXPECT_EQ(p.fixed[static_cast<size_t>(group_of(p, graph, "pool"))]->scale[0], 1.0f / 255.0f);
  EXPECT_NE(group_of(p, graph, "y"), group_of(p, graph, "pool"));
}

TEST(Prepare, AsymmetricParamsHoldZeroExactly) {
  const auto params = asymmetric_params({-1.0, 3.0});
  EXPECT_FLOAT_EQ(params.scale[0], 4.0f / 255.0f);
  EXPECT_EQ(params.zero_point[0], -64);  // -128 + 255/4 = -64.25
  EXPECT_EQ(asymmetric_params({2.0, 5.1}).zero_point[0], -128);
  EXPECT_EQ(asymmetric_params({-5.1, -2.0}).zero_point[0], 127);
  EXPECT_EQ(asymmetric_params({0, 0}), graph::QuantParams::per_tensor(1.0f / 255.0f, -128));
}

}  // namespace kinglet::quantize
