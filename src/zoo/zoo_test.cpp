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

TEST(Zoo, KnownSizesHaveTheirCounts) {
  for (const Row& row : sizes()) {
    const auto counts = deployed(build(row.example, 1).graph);
    EXPECT_EQ(counts.params, row.params) << row.example;
    EXPECT_EQ(counts.macs, row.macs) << row.example;
    EXPECT_EQ(parse_spec(row.example).arch, row.name);
  }
}

/// What PyTorch calls the number of parameters: gamma and beta of BatchNorm, no running statistics.
TEST(Zoo, PublishedTrainableCounts) {
  EXPECT_EQ(ops::cost(build("mobilenet_v2@1.0,224x224x3,1000", 1).graph).params, 3504872);
  EXPECT_EQ(ops::cost(build("mobilenet_v2@1.0,32x32x3,10", 1).graph).params, 2236682);
  EXPECT_EQ(ops::cost(build("mobilenet_v3_small@224x224x3,1000", 1).graph).params, 2542856);  // torchvision, as the next three
  EXPECT_EQ(ops::cost(build("mobilenet_v3_small@224x224x3,1000", 1).graph).macs, 56510400);
  EXPECT_EQ(ops::cost(build("squeezenet@224x224x3,1000", 1).graph).params, 1235496);
  EXPECT_EQ(ops::cost(build("mnasnet_b1@0.5,224x224x3,1000", 1).graph).params, 2218512);
  EXPECT_EQ(ops::cost(build("mnasnet_b1@1.0,224x224x3,1000", 1).graph).params, 4383312);
  EXPECT_EQ(ops::cost(build("mnasnet_a1@1.0,224x224x3,1000", 1).graph).params, 3887038);  // timm, as the next
  EXPECT_EQ(ops::cost(build("efficientnet_lite0@224x224x3,1000", 1).graph).params, 4652008);
}

TEST(Zoo, StemStrideAndPaddingOfMobileNetV2) {
  const auto counts = [](const char* spec) { return deployed(build(spec, 1).graph); };
  const auto torch = counts("mobilenet_v2@0.5,32x32x3,10"), keras = counts("mobilenet_v2@0.5,32x32x3,10,padding=keras");
  EXPECT_EQ(torch.macs, keras.macs);
  EXPECT_GT(counts("mobilenet_v2@0.5,32x32x3,10,stem_stride=1").macs, 3 * torch.macs);
  const auto first = [](const char* spec) { return build(spec, 1).graph.nodes().front().as<graph::Conv2dAttrs>().padding; };
  EXPECT_EQ(first("mobilenet_v2@0.5,32x32x3,10").mode, graph::PaddingMode::explicit_);
  EXPECT_EQ(first("mobilenet_v2@0.5,32x32x3,10,padding=keras").mode, graph::PaddingMode::same);
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

TEST(Zoo, NamesOfTorchvision) {
  const auto has = [](const graph::Graph& graph, const std::string& name) {
    for (const auto& value : graph.values())
      if (value.name == name) return true;
    return false;
  };
  const auto v2 = build("mobilenet_v2@1.0,32x32x3,10", 1).graph;
  for (const char* name : {"features.0.0.weight", "features.0.1.running_var", "features.1.conv.0.0.weight", "features.1.conv.1.weight", "features.1.conv.2.bias",
                           "features.2.conv.0.0.weight", "features.2.conv.1.1.bias", "features.2.conv.2.weight", "features.17.conv.3.running_mean",
                           "features.18.0.weight", "features.18.1.weight", "classifier.1.weight", "classifier.1.bias"})
    EXPECT_TRUE(has(v2, name)) << name;
  const auto v3 = build("mobilenet_v3_small@1.0,32x32x3,10", 1).graph;
  for (const char* name : {"features.1.block.0.0.weight", "features.1.block.1.fc1.bias", "features.1.block.2.1.running_mean", "features.2.block.2.0.weight",
                           "features.4.block.2.fc2.weight", "features.4.block.3.0.weight", "features.12.1.weight", "classifier.0.weight", "classifier.3.bias"})
    EXPECT_TRUE(has(v3, name)) << name;
  const auto mnas = build("mnasnet_b1@0.5,32x32x3,10", 1).graph;
  for (const char* name : {"layers.0.weight", "layers.3.weight", "layers.7.bias", "layers.8.0.layers.0.weight", "layers.12.3.layers.7.running_var", "layers.14.weight",
                           "classifier.1.weight"})
    EXPECT_TRUE(has(mnas, name)) << name;
  const auto squeeze = build("squeezenet@1.0,32x32x3,10", 1).graph;
  for (const char* name : {"features.0.bias", "features.3.squeeze.weight", "features.12.expand3x3.bias", "classifier.1.weight"}) EXPECT_TRUE(has(squeeze, name)) << name;
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

/// The row's example at a size that the slow reference runs in a moment.
std::string small(const Row& row) {
  std::string text = row.example;
  if (const size_t at = text.find("224x224"); at != std::string::npos) text.replace(at, 7, "32x32");
  return text;
}

TEST(Zoo, EveryRowRunsAndGivesProbabilities) {
  for (const Row& row : rows()) {
    const auto model = build(small(row), 3);
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
  EXPECT_NE(refusal("deepface_emotion@32x32x1,7").find("at least 45x45"), std::string::npos);
  EXPECT_NE(refusal("mobilenet_v2@32x32x3,10,dropout=2").find("from 0 to 0.9"), std::string::npos);
  EXPECT_NE(refusal("resnet8").find("says nothing of input"), std::string::npos);
}

}  // namespace
}  // namespace kinglet::zoo
