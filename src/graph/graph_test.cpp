#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/input_spec.h"
#include "graph/print.h"
#include "graph/verify.h"

namespace kinglet::graph {
namespace {

/// x -> relu -> a -> relu -> b (output), and an unused constant and relu.
Graph chain() {
  Graph g;
  for (const char* name : {"x", "a", "b", "dead"}) {
    Value v;
    v.name = name;
    v.shape = {1, 4};
    g.add_value(v);
  }
  g.add_constant("unused", Tensor(DType::f32, {2}));
  g.inputs = {0};
  g.outputs = {2};
  auto relu = [&](ValueId from, ValueId to) {
    Node n;
    n.op = OpKind::Relu;
    n.attrs = NoAttrs{};
    n.inputs = {from};
    n.outputs = {to};
    g.add_node(n);
  };
  relu(0, 1), relu(1, 3), relu(1, 2);
  return g;
}

TEST(Graph, RemoveUnusedDropsAndRenumbers) {
  Graph g = chain();
  g.remove_unused();
  EXPECT_EQ(to_text(g),
            "input %x: Nx4 float32\n"
            "%a: Nx4 float32 = relu(%x)\n"
            "%b: Nx4 float32 = relu(%a)\n"
            "output %b\n");
  EXPECT_EQ(g.value_count(), 3);
  verify_structure(g, "test");
}

TEST(Graph, ProducersUsersAndReplace) {
  Graph g = chain();
  EXPECT_EQ(g.producers()[1], 0);
  EXPECT_EQ(g.producers()[0], kNone);
  EXPECT_EQ(g.users()[1], (std::vector<NodeIndex>{1, 2}));
  g.replace_uses(1, 0);
  EXPECT_TRUE(g.users()[1].empty());
  EXPECT_EQ(g.unique_name("x"), "x_1");
}

TEST(Verify, NamesTheFault) {
  auto expect = [](Graph g, const std::string& words) {
    try {
      verify_structure(g, "m");
      FAIL() << "accepted: " << words;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  Graph late = chain();
  std::swap(late.nodes()[0], late.nodes()[2]);
  expect(late, "before it is made");
  Graph twice = chain();
  twice.nodes()[1].outputs = {1};
  expect(twice, "made twice");
  Graph range = chain();
  range.nodes()[0].inputs = {77};
  expect(range, "reads value 77 of 5");
  Graph named = chain();
  named.value(1).name = "x";
  expect(named, "two values are named 'x'");
  Graph attrs = chain();
  attrs.nodes()[0].attrs = SoftmaxAttrs{};
  expect(attrs, "another operator's attributes");
  Graph quant = chain();
  quant.value(1).quant = QuantParams::per_tensor(0.1f, 0);
  expect(quant, "cannot be quantized");
}

InputSpec rgb64() {
  InputSpec s;
  s.height = s.width = 64;
  s.channels = 3;
  return s;
}

TEST(InputSpec, JsonRoundTrip) {
  InputSpec s = rgb64();
  s.mean = {0.485, 0.456, 0.406};
  s.stddev = {0.229, 0.224, 0.225};
  s.resize = ResizeMode::crop;
  s.crop_fraction = 0.875;
  s.origins["size"] = Origin::metadata;
  EXPECT_EQ(input_spec_from_json(input_spec_to_json(s), "t"), s);
  EXPECT_NEAR(s.real_value(255, 0), (1.0 - 0.485) / 0.229, 1e-12);
}

TEST(InputSpec, OverrideMarksFieldsAndRefusesTypos) {
  InputSpec s = rgb64();
  set_origins(s, Origin::assumed);
  override_input_spec(s, "order=bgr,size=32x48,mean=0.5,std=0.5,crop=0.875");
  EXPECT_EQ(s.order, ColorOrder::bgr);
  EXPECT_EQ(s.width, 48);
  EXPECT_EQ(s.mean, (std::vector<double>{0.5, 0.5, 0.5}));
  EXPECT_EQ(s.resize, ResizeMode::crop);
  EXPECT_EQ(s.origins["order"], Origin::flag);
  const auto weak = weak_fields(s);
  EXPECT_EQ(std::count(weak.begin(), weak.end(), "order"), 0);
  EXPECT_EQ(std::count(weak.begin(), weak.end(), "filter"), 1);
  EXPECT_THROW(override_input_spec(s, "ordre=bgr"), Error);
  EXPECT_THROW(override_input_spec(s, "order=gbr"), Error);
  EXPECT_THROW(override_input_spec(s, "std=0"), Error);
  EXPECT_THROW(override_input_spec(s, "size=0x3"), Error);
  EXPECT_THROW(override_input_spec(s, "order=gray"), Error);
}

TEST(InputSpec, UnknownKeyInJsonIsNamed) {
  Json json = input_spec_to_json(rgb64());
  json["antialiasing"] = true;
  try {
    input_spec_from_json(json, "m.kinglet");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "m.kinglet: unknown key 'antialiasing'; did you mean 'antialias'?");
  }
}

}  // namespace
}  // namespace kinglet::graph
