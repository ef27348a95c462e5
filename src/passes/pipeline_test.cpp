#include <gtest/gtest.h>

#include "graph/print.h"
#include "passes/pipeline.h"
#include "passes/test_net.h"

namespace kinglet::passes {

namespace {

/// SYSTEMS.md part A: x0 = BN(conv3x3(x)); x_{i+1} = BN(conv1x1(x_i)) + BN_i(x_i) + (i > 0 ? BN_dense(x0) : 0); ReLU.
graph::Graph rep_conv() {
  TestNet net;
  const auto x0 = net.batch_norm(net.conv(net.input(Shape{1, 8, 8, 3}), 4, "conv", {3, 2, {graph::PaddingMode::explicit_, 1, 1, 1, 1}, true}), "bn");
  const auto dense = net.batch_norm(x0, "dense");
  auto y = x0;
  for (int i = 0; i < 6; ++i) {
    const std::string step = "step" + std::to_string(i);
    const auto sum = net.add(net.batch_norm(net.conv1x1(y, 4, step), step + "_bn"), net.batch_norm(y, step + "_id"), step + "_sum");
    y = i > 0 ? net.add(sum, dense, step + "_dense") : sum;
  }
  return net.finish(net.relu(y, "y"));
}

}  // namespace

TEST(Pipeline, RepConvBecomesOneConvolution) {
  graph::Graph graph = rep_conv();
  ASSERT_EQ(graph.node_count(), 33);
  PipelineReport report;
  fold_for_deployment(graph, &report);
  EXPECT_EQ(graph::to_text(graph),
            "input %x: Nx8x8x3 float32\n"
            "param %conv_w: 4x3x3x3 float32\n"
            "param %conv_b: 4 float32\n"
            "%y: Nx4x4x4 float32 = conv2d(%x, %conv_w, %conv_b) stride_h=2 stride_w=2 padding=[1,1,1,1] activation=relu\n"
            "output %y\n");
  EXPECT_EQ(report.passes.size(), deployment_passes().size());
  EXPECT_EQ(report.passes.front().nodes_before, 33);
  EXPECT_EQ(report.passes.back().nodes_after, 1);
}

TEST(Pipeline, ShowsTheGraphAfterEachPassAndReportsChanges) {
  graph::Graph graph = rep_conv();
  std::vector<std::string> seen;
  PipelineReport report;
  fold_for_deployment(graph, &report, [&](std::string_view pass, const graph::Graph& now) {
    seen.push_back(std::string(pass) + " " + std::to_string(now.node_count()));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"remove_unused 33", "remove_dropout 33", "fold_constants 33", "remove_identity 33", "fuse_pad 33",
                                            "fold_batch_norm 26", "fold_linear_branches 2", "lower_batch_norm 2", "fuse_activation 1", "remove_unused 1"}));
  const Json json = report_to_json(report);
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[1]["pass"], "fold_linear_branches");
  EXPECT_EQ(json[1]["changes"], 1);
}

TEST(Pipeline, NamesThePassThatBrokeAGraph) {
  graph::Graph graph = rep_conv();
  const Pass breaks[] = {{"break_it", [](graph::Graph& g, PassLog&) { g.outputs[0] = g.node(0).inputs[0], g.value(g.inputs[0]).shape = Shape{1, 8, 8, 5}; }}};
  try {
    run_passes(graph, breaks);
    FAIL() << "a broken graph passed verification";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("break_it"), std::string::npos) << error.what();
  }
}

}  // namespace kinglet::passes
