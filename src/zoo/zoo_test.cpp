#include "zoo/zoo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "ops/cost.h"
#include "passes/pipeline.h"
#include "reference/interpreter.h"

namespace kinglet::zoo {
namespace {

using graph::OpKind;

int64_t running_statistics(const graph::Graph& graph) {
  int64_t n = 0;
  for (const auto& node : graph.nodes())
    if (node.op == OpKind::BatchNorm) n += 2 * graph.value(node.inputs[1]).shape.elements();
  return n;
}

ops::Cost deployed(graph::Graph graph) {
  passes::fold_for_deployment(graph);
  return ops::cost(graph);
}

TEST(Zoo, EveryRowHasItsPublishedCounts) {
  for (const Row& row : rows()) {
    const auto model = build(row.example, 1);
    const auto counts = deployed(model.graph);
    EXPECT_EQ(counts.params, row.params) << row.example;
    EXPECT_EQ(counts.macs, row.macs) << row.example;
    if (row.train_params > 0) {
      EXPECT_EQ(ops::cost(model.graph).params + running_statistics(model.graph), row.train_params) << row.example;
    }
  }
}

TEST(Zoo, RepNetsOfThePublishedTable) {
  struct Known {
    const char* spec;
    int64_t params, macs;
  };
  for (const Known& known : {Known{"mobilenet_v2_rep@0.35,32x32x1,10", 30586, 1290560}, Known{"mobilenet_v2_rep@0.35,64x64x3,2", 30610, 5455936},
                             Known{"mobilenet_v2_rep@1.0,64x64x3,2,stages=4", 663234, 33915136},
                             Known{"mobilenet_v2_rep@1.0,32x32x3,2,stages=4", 663234, 8478976},
                             Known{"mobilenet_v2_rep@1.0,96x96x3,2,stages=4", 663234, 76308736}}) {
    const auto counts = deployed(build(known.spec, 1).graph);
    EXPECT_EQ(counts.params, known.params) << known.spec;
    EXPECT_EQ(counts.macs, known.macs) << known.spec;
  }
  EXPECT_EQ(deployed(build("mobilenet_v2_rep@0.5,32x32x3,10,stages=4", 1).graph).params, 174330);
  EXPECT_EQ(deployed(build("mobilenet_v1@0.25,128x128x3,1001", 1).graph).macs, 13570304);
}

TEST(Zoo, RepBlockSharesTheDenseBranch) {
  const auto graph = build("mobilenet_v2_rep@0.35,32x32x3,10", 1).graph;
  const auto users = graph.users();
  int shared = 0;
  for (const auto& node : graph.nodes())
    if (node.name.find("dense_bn") != std::string::npos) {
      ++shared;
      EXPECT_EQ(users[static_cast<size_t>(node.outputs[0])].size(), 5u) << node.name;
    }
  EXPECT_EQ(shared, 6);
}

TEST(Zoo, NamesAreUniqueAndReadable) {
  for (const Row& row : rows()) {
    const auto graph = build(row.example, 1).graph;
    std::set<std::string> names;
    for (const auto& value : graph.values()) EXPECT_TRUE(names.insert(value.name).second) << value.name;
  }
  const auto graph = build("mobilenet_v2_rep@0.35,32x32x3,10", 1).graph;
  std::set<std::string> names;
  for (const auto& value : graph.values()) names.insert(value.name);
  for (const char* name : {"input", "stem.conv.weight", "stage0.block0.conv.weight", "stage2.block2.step5.identity_bn.running_var",
                           "stage1.block0.dense_bn.bias", "head.weight", "softmax"})
    EXPECT_TRUE(names.count(name)) << name;
}

TEST(Zoo, SeedDecidesTheWeightsAndHeTheirSpread) {
  const auto a = build("resnet8@32x32x3,10", 7).graph, b = build("resnet8@32x32x3,10", 7).graph, c = build("resnet8@32x32x3,10", 8).graph;
  bool differs = false;
  for (int id = 0; id < a.value_count(); ++id) {
    if (!a.value(id).is_constant()) continue;
    EXPECT_TRUE(*a.value(id).constant == *b.value(id).constant) << a.value(id).name;
    differs |= !(*a.value(id).constant == *c.value(id).constant);
    if (a.value(id).name != "stack2.second.conv.weight") continue;
    double squares = 0;
    for (float w : a.value(id).constant->data<float>()) squares += double(w) * w;
    EXPECT_NEAR(squares / (64 * 64 * 9) * (64 * 9) / 2, 1.0, 0.03);  // 36,864 draws: deviation of the mean square is 0.0074
  }
  EXPECT_TRUE(differs);
}

TEST(Zoo, EveryRowRunsAndGivesProbabilities) {
  for (const Row& row : rows()) {
    const auto model = build(row.example, 3);
    Shape shape = model.graph.value(model.graph.inputs[0]).shape;
    Tensor picture(DType::f32, shape);
    auto pixels = picture.mutable_data<float>();
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 97) / 97;
    const std::vector<Tensor> inputs{picture};
    const auto out = reference::run(model.graph, inputs);
    double sum = 0;
    for (float p : out[0].data<float>()) sum += p;
    EXPECT_NEAR(sum, 1.0, 1e-5) << row.example;
  }
}

TEST(Zoo, InputContractsAreTheArchitectures) {
  EXPECT_EQ(build("mobilenet_v2_rep@0.35,32x32x1,10", 1).input.order, graph::ColorOrder::gray);
  EXPECT_DOUBLE_EQ(build("mobilenet_v2_rep@0.35,32x32x3,10", 1).input.real_value(255, 2), 1.0);
  EXPECT_DOUBLE_EQ(build("resnet8@32x32x3,10", 1).input.real_value(255, 0), 255.0);
  EXPECT_DOUBLE_EQ(build("mobilenet_v1@0.25,96x96x3,2", 1).input.real_value(0, 0), -1.0);
  EXPECT_TRUE(weak_fields(build("resnet8@32x32x3,10", 1).input).empty());
}

std::string refusal(const std::string& spec) {
  try {
    build(spec, 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(Zoo, RefusesInWords) {
  EXPECT_NE(refusal("mobilenet_v2_repp@0.35,32x32x3,10").find("did you mean 'mobilenet_v2_rep'"), std::string::npos);
  EXPECT_NE(refusal("mobilenet_v2_rep@0.35,32x32x3,10,stage=4").find("did you mean 'stages'"), std::string::npos);
  EXPECT_NE(refusal("mobilenet_v2_rep@0.35,32x32x3,10,stages=9").find("from 1 to 7"), std::string::npos);
  EXPECT_NE(refusal("resnet8@0.5,32x32x3,10").find("no width"), std::string::npos);
  EXPECT_NE(refusal("resnet8@32x32,10").find("not an input size"), std::string::npos);
  EXPECT_NE(refusal("resnet8@32x32x3").find("number of classes"), std::string::npos);
  EXPECT_NE(refusal("resnet8@32x32x2,10").find("1 or 3 channels"), std::string::npos);
  EXPECT_NE(refusal("resnet8").find("says nothing of input"), std::string::npos);
}

}  // namespace
}  // namespace kinglet::zoo
