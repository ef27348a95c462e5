#include "quantize/fake_quantize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "graph/print.h"
#include "passes/test_net.h"
#include "quantize/blame.h"
#include "quantize/dequantize.h"
#include "quantize/pictures.h"
#include "quantize/test_pictures.h"
#include "reference/interpreter.h"

namespace kinglet::quantize {

using graph::OpKind;
using passes::TestNet;

namespace {

graph::Model small_model() {
  TestNet net(11);
  auto y = net.relu(net.batch_norm(net.conv(net.input(Shape{1, 6, 6, 1}), 4, "conv0"), "bn0"), "relu0");
  y = net.node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, 2, 2, {}, {}}, net.relu(net.depthwise(y, "dw"), "relu1"), "pool");
  graph::Model model;
  model.graph = net.finish(net.node(OpKind::Softmax, graph::SoftmaxAttrs{}, net.dense(net.mean(y, "mean"), 3, "fc"), "scores"));
  model.input = unit_spec(6, 6, 1);
  return model;
}

Options one_thread() {
  Options options;
  options.threads = 1;
  options.bias_correction = false;
  return options;
}

}  // namespace

TEST(FakeQuantize, StandsOnWeightsAndOutputsWithScalesOfTheirOwn) {
  const graph::Model qat = prepare_qat(small_model(), TestPictures(32, 6, 6, 1), one_thread());
  std::vector<std::string> ops;
  for (const auto& node : qat.graph.nodes()) ops.push_back(std::string(op_name(node.op)));
  EXPECT_EQ(ops, (std::vector<std::string>{"fake_quantize", "fake_quantize", "conv2d", "fake_quantize", "fake_quantize", "depthwise_conv2d", "fake_quantize",
                                           "max_pool2d", "mean", "fake_quantize", "fake_quantize", "fully_connected", "fake_quantize", "softmax"}));
  int trainable = 0;
  for (const auto& value : qat.graph.values()) trainable += value.trainable;
  EXPECT_EQ(trainable, 6);
}

TEST(FakeQuantize, ConvertsToTheSameBytesAsPostTraining) {
  const TestPictures pictures(32, 6, 6, 1);
  const graph::Model qat = prepare_qat(small_model(), pictures, one_thread());
  const graph::Model from_training = convert_qat(qat), direct = post_training(small_model(), pictures, one_thread()).model;
  EXPECT_EQ(graph::to_text(from_training.graph), graph::to_text(direct.graph));
  ASSERT_EQ(from_training.graph.values().size(), direct.graph.values().size());
  for (size_t v = 0; v < direct.graph.values().size(); ++v) {
    EXPECT_EQ(from_training.graph.values()[v].quant, direct.graph.values()[v].quant) << direct.graph.values()[v].name;
    EXPECT_EQ(from_training.graph.values()[v].constant, direct.graph.values()[v].constant) << direct.graph.values()[v].name;
  }
}

TEST(FakeQuantize, ForwardStaysWithinOneStepOfTheIntegers) {
  const TestPictures pictures(32, 6, 6, 1);
  const graph::Model qat = prepare_qat(small_model(), pictures, one_thread());
  const graph::Model int8 = convert_qat(qat);
  ThreadPool pool(1);
  const std::vector<int64_t> indices{1, 2, 3, 4, 5, 6};
  const Tensor real = reference::run(qat.graph, load_batches(qat, pictures, indices, 6, pool))[0];
  const Tensor scores = dequantize_tensor(reference::run(int8.graph, load_batches(int8, pictures, indices, 6, pool))[0], graph::QuantParams::per_tensor(1.0f / 256.0f, -128));
  for (size_t i = 0; i < 18; ++i) EXPECT_NEAR(real.data<float>()[i], scores.data<float>()[i], 0.02) << i;
}

TEST(FakeQuantize, ConversionNamesAValueWithoutAScale) {
  graph::Model plain = small_model();
  TestNet net;
  plain.graph = net.finish(net.relu(net.input(Shape{1, 6, 6, 1}), "lost"));
  try {
    convert_qat(plain);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("lost"), std::string::npos);
  }
}

TEST(Blame, RanksTheLayerThatWasSpoiltFirst) {
  graph::Model model = small_model();
  // All classes read every channel with weight 300, and a bias of 0.05 makes class 2 win: less than a step of such an output.
  for (const auto& node : model.graph.nodes())
    if (node.op == OpKind::FullyConnected) {
      auto weights = model.graph.value(node.inputs[1]).constant->mutable_data<float>();
      for (size_t i = 0; i < weights.size(); ++i) weights[i] = 300.0f;
      model.graph.value(node.inputs[2]).constant = Tensor::of<float>(Shape{3}, std::vector<float>{0.0f, 0.0f, 0.05f});
    }
  const TestPictures pictures(64, 6, 6, 1);
  const Blame result = blame(model, pictures, pictures, 64, one_thread());
  ASSERT_EQ(result.rows.size(), 4u);  // conv0, dw, mean, fc
  EXPECT_EQ(result.n, 64);
  EXPECT_EQ(result.rows[0].name, "fc");
  EXPECT_LT(result.rows[0].agree_only, 1.0);
  EXPECT_GE(result.rows[0].agree_without, result.agree_all);
}

}  // namespace kinglet::quantize
