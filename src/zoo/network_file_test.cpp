#include "zoo/network_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "ops/cost.h"
#include "passes/pipeline.h"
#include "reference/interpreter.h"
#include "zoo/zoo.h"

namespace kinglet::zoo {
namespace {

const std::string kSmall =
    "input: 8x8x3\n"
    "classes: 4\n"
    "layers:\n"
    "  - {conv: 8, stride: 2, name: stem}\n"
    "  - {conv: 8, act: none}\n"
    "  - {add: stem, act: relu}\n"
    "  - {global_mean: true}\n"
    "  - {dense: classes}\n";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& yaml) {
  try {
    build_network(yaml, "n.yaml", 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

void expect_refused(const std::string& yaml, const std::string& start, const std::string& word) {
  const std::string said = refusal(yaml);
  EXPECT_TRUE(said.starts_with(start)) << said;
  EXPECT_NE(said.find(word), std::string::npos) << said;
}

TEST(NetworkFile, LayersInOrderAndResidualsByName) {
  const auto model = build_network(kSmall, "n.yaml", 1);
  std::string kinds;
  for (const auto& node : model.graph.nodes()) kinds += std::string(graph::op_name(node.op)) + " ";
  EXPECT_EQ(kinds, "conv2d batch_norm relu conv2d batch_norm add relu mean fully_connected softmax ");
  EXPECT_EQ(model.graph.value(model.graph.nodes()[5].inputs[1]).name, "stem.act");
  EXPECT_EQ(model.name, "n");
  EXPECT_EQ(model.provenance["network"], kSmall);
  EXPECT_EQ(ops::cost(model.graph).params, 9 * 3 * 8 + 9 * 8 * 8 + 2 * 16 + 8 * 4 + 4);
  EXPECT_EQ(ops::cost(model.graph).macs, 9 * 3 * 8 * 16 + 9 * 8 * 8 * 16 + 32);
}

TEST(NetworkFile, BranchesJoin) {
  auto yaml = with(kSmall, "  - {add: stem, act: relu}\n",
                   "  - {from: stem, conv: 4, kernel: 1, norm: no, name: side}\n"
                   "  - {from: input, average_pool: 2, name: low}\n"
                   "  - {concat: [side, stem]}\n"
                   "  - {squeeze_excite: 4}\n");
  const auto graph = build_network(yaml, "n.yaml", 1).graph;
  int found = 0;
  for (const auto& value : graph.values()) {
    if (value.name != "concat5") continue;
    ++found;
    EXPECT_EQ(value.shape, (Shape{1, 4, 4, 15}));
  }
  EXPECT_EQ(found, 1);
}

TEST(NetworkFile, ExampleOfTheDocs) {
  const std::string path = KINGLET_SOURCE_DIR "/docs/how_to/examples/small_residual.yaml";
  ASSERT_TRUE(is_network_path(path));
  auto model = build(path, 1);
  Tensor picture(DType::f32, model.graph.value(model.graph.inputs[0]).shape);
  for (float& x : picture.mutable_data<float>()) x = 0.5f;
  double sum = 0;
  const auto scores = reference::run(model.graph, std::vector<Tensor>{picture})[0];
  for (float p : scores.data<float>()) sum += p;
  EXPECT_NEAR(sum, 1, 1e-5);
  passes::fold_for_deployment(model.graph);
  EXPECT_NE(read_text_file(path).find("65,186 parameters and 2.76 M MACs"), std::string::npos);
  EXPECT_EQ(ops::cost(model.graph).params, 65186);
  EXPECT_NEAR(ops::cost(model.graph).macs / 1e6, 2.76, 0.005);
}

TEST(NetworkFile, ErrorsNameTheLine) {
  expect_refused(with(kSmall, "add: stem", "add: sterm"), "n.yaml: line 6: ", "did you mean 'stem'?");
  expect_refused(with(kSmall, "stride: 2", "strid: 2"), "n.yaml: line 4: ", "did you mean 'stride'?");
  expect_refused(with(kSmall, "conv: 8, act", "cnv: 8, act"), "n.yaml: line 5: ", "did you mean 'conv'?");
  expect_refused(with(kSmall, "conv: 8, act: none", "conv: 9, act: none"), "n.yaml: line 6: ", "cannot combine");
  expect_refused(with(kSmall, "conv: 8, act: none", "conv: eight"), "n.yaml: line 5: ", "whole number");
  expect_refused(with(kSmall, "act: relu}", "act: rel}"), "n.yaml: line 6: ", "did you mean 'relu'?");
  expect_refused(with(kSmall, "8x8x3", "8x8"), "n.yaml: line 1: ", "not an input size");
  expect_refused(with(kSmall, "classes: 4\n", ""), "n.yaml: ", "no line classes");
  expect_refused(with(kSmall, "  - {dense: classes}\n", ""), "n.yaml: line 7: ", "not 4 scores");
  expect_refused(with(kSmall, "{conv: 8, act: none}", "{conv: 8, act: none, name: stem}"), "n.yaml: line 5: ", "is taken");
  expect_refused(with(kSmall, "{global_mean: true}", "{average_pool: 9}"), "n.yaml: line 7: ", "larger than");
  expect_refused(with(kSmall, "{global_mean: true}", "{global_mean: true}\n  - {global_mean: true}"), "n.yaml: line 8: ", "needs a picture");
  expect_refused(with(kSmall, "{conv: 8, act: none}", "{conv: 65536, kernel: 63}"), "n.yaml: line 5: ", "weights");
  expect_refused("epochs: 3\n", "n.yaml: ", "no network");
  expect_refused("layers: {conv: [", "n.yaml: line ", "");
}

}  // namespace
}  // namespace kinglet::zoo
