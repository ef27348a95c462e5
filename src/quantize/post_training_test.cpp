#include "quantize/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "passes/test_net.h"
#include "quantize/dequantize.h"
#include "quantize/pictures.h"
#include "quantize/test_pictures.h"
#include "reference/interpreter.h"

namespace kinglet::quantize {

using graph::OpKind;
using passes::TestNet;

namespace {

graph::Model small_model(uint64_t seed) {
  TestNet net(seed);
  auto y = net.relu6(net.batch_norm(net.conv(net.input(Shape{1, 8, 8, 3}), 8, "conv0", {3, 2, {graph::PaddingMode::same, 0, 0, 0, 0}, false}), "bn0"), "relu0");
  y = net.relu(net.add(net.relu(net.batch_norm(net.depthwise(y, "dw"), "bn1"), "relu1"), y, "sum"), "relu2");
  y = net.node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, 2, 2, {}, {}}, y, "pool");
  y = net.dense(net.mean(net.conv(y, 12, "conv1"), "mean"), 3, "fc");
  graph::Model model;
  model.name = "small";
  model.graph = net.finish(net.node(OpKind::Softmax, graph::SoftmaxAttrs{}, y, "scores"));
  model.input = unit_spec(8, 8, 3);
  return model;
}

double sqnr(const Result& result, const std::string& layer) {
  for (const LayerReport& row : result.report.layers)
    if (row.name == layer) return row.sqnr_db;
  return -1;
}

}  // namespace

TEST(PostTraining, GivesAnInt8GraphWhoseScoresAgree) {
  const graph::Model model = small_model(1);
  const TestPictures pictures(64, 8, 8, 3);
  Options options;
  options.threads = 1;
  const Result result = post_training(model, pictures, options);
  for (const auto& node : result.model.graph.nodes())
    for (const auto v : node.outputs) EXPECT_EQ(result.model.graph.value(v).dtype, DType::s8) << node.name;
  const auto& input = result.model.graph.value(result.model.graph.inputs[0]);
  EXPECT_EQ(input.quant, graph::QuantParams::per_tensor(1.0f / 255.0f, -128));
  ThreadPool pool(1);
  const std::vector<int64_t> indices{1, 2, 3, 4, 5, 6, 7, 8};
  const auto bytes = load_batches(result.model, pictures, indices, 8, pool), floats = load_batches(model, pictures, indices, 8, pool);
  const Tensor q = reference::run(result.model.graph, bytes)[0];
  const Tensor scores = dequantize_tensor(q, result.model.graph.value(result.model.graph.outputs[0]).quant), expected = reference::run(model.graph, floats)[0];
  for (size_t i = 0; i < scores.data<float>().size(); ++i) EXPECT_NEAR(scores.data<float>()[i], expected.data<float>()[i], 0.05) << i;
}

TEST(PostTraining, EveryLayerKeepsItsSignal) {
  Options options;
  options.threads = 1;
  const Result result = post_training(small_model(2), TestPictures(64, 8, 8, 3), options);
  ASSERT_EQ(result.report.layers.size(), 8u);  // conv0, dw, sum, pool, conv1, mean, fc, softmax
  for (const LayerReport& row : result.report.layers) EXPECT_GT(row.sqnr_db, 25.0) << row.name;
  EXPECT_GT(sqnr(result, "conv0"), 35.0);
  EXPECT_LE(result.report.layers[0].max, 6.0);
  EXPECT_EQ(result.report.layers[0].zero_point, -128);
}

TEST(PostTraining, TheSameSeedGivesTheSameBytesOnAnyNumberOfThreads) {
  const TestPictures pictures(80, 8, 8, 3);
  Options one, two;
  one.calibration_n = two.calibration_n = 40;
  one.threads = 1, two.threads = 2;
  const Result a = post_training(small_model(3), pictures, one), b = post_training(small_model(3), pictures, two);
  ASSERT_EQ(a.model.graph.values().size(), b.model.graph.values().size());
  for (size_t v = 0; v < a.model.graph.values().size(); ++v) {
    EXPECT_EQ(a.model.graph.values()[v].quant, b.model.graph.values()[v].quant);
    EXPECT_EQ(a.model.graph.values()[v].constant, b.model.graph.values()[v].constant);
  }
}

TEST(PostTraining, BordersRunAsTheBodyDoes) {
  const graph::Model model = small_model(4);
  const TestPictures pictures(32, 8, 8, 3);
  ThreadPool pool(1);
  Options options;
  options.threads = 1;
  const auto body = post_training(model, pictures, options).model;
  options.io = Io::uint8;
  const auto bytes = post_training(model, pictures, options).model;
  options.io = Io::float32;
  const auto floats = post_training(model, pictures, options).model;
  const std::vector<int64_t> one{5};
  const Tensor s8 = reference::run(body.graph, load_batches(body, pictures, one, 1, pool))[0];
  const Tensor u8 = reference::run(bytes.graph, load_batches(bytes, pictures, one, 1, pool))[0];
  const Tensor f32 = reference::run(floats.graph, load_batches(floats, pictures, one, 1, pool))[0];
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(s8.data<int8_t>()[i] + 128, u8.data<uint8_t>()[i]);
    EXPECT_EQ(static_cast<float>(s8.data<int8_t>()[i] + 128) / 256.0f, f32.data<float>()[i]);
  }
}

TEST(PostTraining, BiasCorrectionTakesTheMeanErrorOut) {
  // Weights of one sign that all round up: the layer's mean is off by far more than a rounding of activations.
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 4, 4, 3});
  std::vector<float> weights(2 * 3, 0.0104f / 1.0f);
  weights[0] = weights[3] = 1.27f;  // scale 0.01: 0.0104 becomes 0.01
  const auto w = builder.constant("w", Tensor::of<float>(Shape{2, 1, 1, 3}, weights), true);
  graph::Model model;
  builder.output(builder.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w}, "y"));
  model.graph = builder.finish();
  model.input = unit_spec(4, 4, 3);
  Options options;
  options.threads = 1;
  const TestPictures pictures(32, 4, 4, 3);
  const Result with = post_training(model, pictures, options);
  options.bias_correction = false;
  const Result without = post_training(model, pictures, options);
  EXPECT_GT(with.report.layers[0].bias_shift_steps, 0.05);
  EXPECT_EQ(without.report.layers[0].bias_shift_steps, 0.0);
  EXPECT_EQ(with.model.graph.node(0).inputs.size(), 3u);
}

TEST(PostTraining, RefusesTestPicturesAndBadOptions) {
  EXPECT_THROW(post_training(small_model(1), TestPictures(8, 8, 8, 3, "test")), Error);
  Options options;
  options.calibration_n = 0;
  EXPECT_THROW(post_training(small_model(1), TestPictures(8, 8, 8, 3), options), Error);
  EXPECT_THROW(io_from_name("int7"), Error);
}

TEST(ChooseCalibration, TakesTheSameNumberOfEachClass) {
  const TestPictures pictures(1000, 2, 2, 1);  // 100 of class 0
  const auto chosen = choose_calibration(pictures, 90, 1);
  std::vector<int> counts(3, 0);
  for (const int64_t i : chosen) ++counts[static_cast<size_t>(pictures.label(i))];
  EXPECT_EQ(counts, (std::vector<int>{30, 30, 30}));
  EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), 90u);
  EXPECT_NE(chosen, choose_calibration(pictures, 90, 2));
  EXPECT_EQ(choose_calibration(pictures, 5000, 1).size(), 1000u);
}

}  // namespace kinglet::quantize
