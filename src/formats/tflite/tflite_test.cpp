#include "formats/tflite/tflite.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "formats/formats.h"
#include "formats/tflite/contract.h"
#include "formats/tflite/zip.h"
#include "graph/print.h"
#include "ops/builder.h"
#include "ops/verify.h"
#include "reference/interpreter.h"

namespace kinglet::formats::tflite {
namespace {

using graph::Activation;
using graph::OpKind;
using graph::PaddingMode;
using graph::QuantParams;

/// x 6x6x3 -> conv 3x3 -> mean -> fully connected 2 -> softmax, float.
graph::Model small_model(graph::Padding padding) {
  ops::GraphBuilder b;
  auto x = b.input("x", Shape{1, 6, 6, 3});
  Tensor w(DType::f32, Shape{4, 3, 3, 3}), v(DType::f32, Shape{2, 4});
  for (size_t i = 0; i < 108; ++i) w.mutable_data<float>()[i] = static_cast<float>(i % 7) - 3;
  for (size_t i = 0; i < 8; ++i) v.mutable_data<float>()[i] = static_cast<float>(i) / 8;
  const auto weights = b.constant("w", w, true), bias = b.constant("b", Tensor::of<float>(Shape{4}, std::vector<float>{1, 2, 3, 4}), true);
  x = b.node(OpKind::Conv2d, graph::Conv2dAttrs{.stride_h = 2, .stride_w = 1, .padding = padding, .activation = Activation::relu6},
             {x, weights, bias}, "conv");
  x = b.node(OpKind::Mean, graph::MeanAttrs{{1, 2}, false}, {x}, "mean");
  x = b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{},
             {x, b.constant("v", v, true), b.constant("vb", Tensor(DType::f32, Shape{2}), true)}, "fc");
  b.output(b.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {x}, "scores"));
  graph::Model model;
  model.name = "small";
  model.graph = b.finish();
  model.labels = {"grün, or green", "red"};
  model.input = infer_input_spec(model.graph.value(model.graph.inputs[0]));
  return model;
}

std::vector<std::string> warnings_of(std::span<const std::byte> bytes, graph::Model* out = nullptr) {
  std::vector<std::string> list;
  auto model = import_model(bytes, "m.tflite", [&](const std::string& text) { list.push_back(text); });
  if (out) *out = std::move(model);
  return list;
}

TEST(TfliteRoundTrip, KeepsGraphLabelsNameAndProvenance) {
  auto model = small_model({.mode = PaddingMode::same});
  model.provenance["recipe"] = "a.yaml";
  graph::Model back;
  EXPECT_EQ(warnings_of(export_model(model), &back), std::vector<std::string>{});
  EXPECT_EQ(graph::to_text(back.graph), graph::to_text(model.graph));
  EXPECT_EQ(back.labels, model.labels);
  EXPECT_EQ(back.name, "small");
  EXPECT_EQ(back.provenance, model.provenance);
  EXPECT_EQ(back.graph.node(0).origin, "m.tflite: operator 0 (CONV_2D)");
}

TEST(TfliteRoundTrip, KeepsEveryFieldOfTheContractAndDoesNotMakeItSurer) {
  auto model = small_model({});
  graph::override_input_spec(model.input, "order=bgr,crop=0.875,mean=0.1/0.2/0.3,std=0.5");
  graph::Model back;
  warnings_of(export_model(model), &back);
  auto expected = model.input;
  for (const char* field : {"order", "crop", "resize", "mean", "std", "size"}) expected.origins[field] = graph::Origin::embedded;
  EXPECT_EQ(graph::input_spec_to_json(back.input).dump(), graph::input_spec_to_json(expected).dump());
  EXPECT_EQ(back.input.origins.at("filter"), graph::Origin::assumed);
}

TEST(TfliteRoundTrip, EqualModelsGiveEqualBytes) { EXPECT_EQ(export_model(small_model({})), export_model(small_model({}))); }

TEST(TfliteExport, WritesExplicitPaddingThatEqualsSameAsSame) {
  // 6 wide, kernel 3, stride 1: SAME pads 1 and 1; 6 high, stride 2: SAME pads 0 and 1.
  auto back = import_model(export_model(small_model({PaddingMode::explicit_, 0, 1, 1, 1})), "m");
  ASSERT_EQ(back.graph.node(0).op, OpKind::Conv2d);
  EXPECT_EQ(back.graph.node(0).as<graph::Conv2dAttrs>().padding.mode, PaddingMode::same);
}

TEST(TfliteExport, SplitsOtherExplicitPaddingOffAndKeepsTheOutputs) {
  const auto model = small_model({PaddingMode::explicit_, 1, 1, 1, 1});
  const auto back = import_model(export_model(model), "m");
  ASSERT_EQ(back.graph.node(0).op, OpKind::Pad);
  EXPECT_EQ(back.graph.node(0).as<graph::PadAttrs>(), (graph::PadAttrs{{0, 1, 1, 0}, {0, 1, 1, 0}}));
  EXPECT_EQ(back.graph.node(1).as<graph::Conv2dAttrs>().padding.mode, PaddingMode::valid);
  Tensor x(DType::f32, Shape{1, 6, 6, 3});
  for (size_t i = 0; i < 108; ++i) x.mutable_data<float>()[i] = static_cast<float>(i % 5);
  EXPECT_EQ(reference::run(model.graph, std::span(&x, 1))[0], reference::run(back.graph, std::span(&x, 1))[0]);
}

TEST(TfliteExport, RefusesInWordsWhatTheFormatCannotSay) {
  ops::GraphBuilder b;
  auto x = b.input("x", Shape{1, 4, 4, 1});
  x = b.node(
      OpKind::MaxPool2d,
      graph::Pool2dAttrs{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = {PaddingMode::explicit_, 1, 1, 1, 1}}, {x},
      "pool");
  b.output(b.node(OpKind::Dropout, graph::DropoutAttrs{}, {x}, "drop"));
  graph::Model model;
  model.graph = b.finish();
  auto message = [&] {
    try {
      export_model(model);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message().find("max_pool2d 'pool': pads in a way"), std::string::npos) << message();
  model.graph.node(0).as<graph::Pool2dAttrs>().padding = {};
  ops::infer_types(model.graph);
  EXPECT_NE(message().find("dropout 'drop': cannot be written to TensorFlow Lite"), std::string::npos) << message();
}

struct Inferred {
  DType dtype;
  float scale;
  int zero_point;
  double divisor;
  std::vector<double> mean, stddev;
  graph::Origin origin;
};

TEST(TfliteContract, IsInferredFromTheRangeOfTheInput) {
  using enum graph::Origin;
  const std::vector<double> ones(3, 1.0);
  for (const Inferred& c :
       {Inferred{DType::s8, 1 / 255.0f, -128, 255, {}, {}, inferred}, Inferred{DType::s8, 1.0f, -128, 1, {}, {}, inferred},
        Inferred{DType::s8, 1 / 127.5f, -1, 127.5, ones, {}, inferred}, Inferred{DType::u8, 1 / 128.0f, 128, 128, ones, {}, inferred},
        Inferred{DType::s8, 0.0186311f, -14, 255, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, inferred},
        Inferred{DType::s8, 0.03f, 5, 255, {}, {}, assumed}, Inferred{DType::f32, 0, 0, 255, {}, {}, assumed}}) {
    graph::Value input;
    input.dtype = c.dtype;
    input.shape = Shape{1, 24, 32, 3};
    if (c.dtype != DType::f32) input.quant = QuantParams::per_tensor(c.scale, c.zero_point);
    const auto spec = infer_input_spec(input);
    EXPECT_EQ(spec.divisor, c.divisor) << c.scale;
    EXPECT_EQ(spec.mean, c.mean) << c.scale;
    EXPECT_EQ(spec.stddev, c.stddev) << c.scale;
    EXPECT_EQ(spec.origins.at("divisor"), c.origin) << c.scale;
    EXPECT_EQ((std::array{spec.height, spec.width, spec.channels}), (std::array{24, 32, 3}));
    EXPECT_EQ(spec.origins.at("size"), embedded);
    EXPECT_EQ(spec.origins.at("order"), assumed);
  }
}

TEST(TfliteZip, IsFoundBehindOtherBytesWithItsContents) {
  std::vector<std::byte> file(1000, std::byte{7});
  const std::string text = "a\nb\n";
  const auto raw = std::as_bytes(std::span(text));
  const std::vector<ZipEntry> entries{{"one.txt", {raw.begin(), raw.end()}}, {"two.txt", {}}};
  const auto zip = zip_to_append(entries, file.size());
  file.insert(file.end(), zip.begin(), zip.end());
  const auto back = read_appended_zip(file, "f");
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].name, "one.txt");
  EXPECT_EQ(back[0].bytes, entries[0].bytes);
  EXPECT_EQ(back[1].name, "two.txt");
  EXPECT_TRUE(read_appended_zip(std::span(file).first(1000), "f").empty());
}

TEST(TfliteLabels, OfTheWrongNumberAreIgnoredWithAWarning) {
  auto model = small_model({});
  model.labels.push_back("third");
  graph::Model back;
  EXPECT_EQ(warnings_of(export_model(model), &back),
            std::vector<std::string>{"m.tflite: 'labels.txt' has 3 labels for 2 scores; the model has no labels"});
  EXPECT_TRUE(back.labels.empty());
}

TEST(Formats, AreFoundByContentThenByName) {
  const auto bytes = export_model(small_model({}));
  EXPECT_EQ(find_format(bytes, "anything.bin")->name, "TensorFlow Lite");
  EXPECT_EQ(find_format({}, "x.TFLITE")->name, "TensorFlow Lite");
  EXPECT_EQ(find_format({}, "x.png"), nullptr);
}

std::filesystem::path shared(const std::string& name) { return std::filesystem::path(KINGLET_SHARED) / "models" / name; }

class RealDataTflite : public testing::TestWithParam<const char*> {};

TEST_P(RealDataTflite, RoundTripGivesTheSameGraph) {
  const auto path = shared(GetParam());
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = import_file(path);
  for (const auto& node : model.graph.nodes()) EXPECT_NE(node.op, OpKind::Opaque) << graph::describe(node);
  const auto back = import_model(export_model(model), path.string());
  EXPECT_EQ(graph::to_text(back.graph), graph::to_text(model.graph));
  for (size_t i = 0; i < model.graph.values().size(); ++i)
    EXPECT_EQ(back.graph.values()[i].constant, model.graph.values()[i].constant) << model.graph.values()[i].name;
  EXPECT_EQ(back.labels, model.labels);
  EXPECT_EQ(graph::describe(back.input), graph::describe(model.input));
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataTflite,
                         testing::Values("seeed/cifar10_rep035_int8.tflite", "seeed/mnist_rep035_int8.tflite",
                                         "mlperf_tiny/resnet8_float.tflite", "mlperf_tiny/resnet8_int8.tflite",
                                         "mlperf_tiny/vww_96_float.tflite", "mlperf_tiny/vww_96_int8.tflite", "tflm/person_detect.tflite",
                                         "coral/mobilenet_v1_0.25_128_quant.tflite", "coral/mobilenet_v2_1.0_224_quant.tflite",
                                         "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite"));

TEST(RealDataTfliteFiles, MetadataAndZipOfACoralModelAreRead) {
  const auto path = shared("coral/mobilenet_v1_0.25_128_quant.tflite");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = import_file(path);
  ASSERT_EQ(model.labels.size(), 1001u);
  EXPECT_EQ(model.labels[1], "tench, Tinca tinca");
  EXPECT_EQ(model.input.divisor, 127.5);
  EXPECT_EQ(model.input.mean, (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(model.input.origins.at("mean"), graph::Origin::metadata);
  EXPECT_EQ(model.input.origins.at("order"), graph::Origin::metadata);
  EXPECT_EQ(model.graph.value(model.graph.inputs[0]).dtype, DType::u8);
}

TEST(RealDataTfliteFiles, WrongQuantizedDimensionsOfBiasesAreMendedWithOneWarning) {
  const auto path = shared("tflm/person_detect.tflite");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  std::vector<std::string> warnings;
  import_file(path, [&](const std::string& text) { warnings.push_back(text); });
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("14 rank-1 tensors name a quantized dimension they do not have"), std::string::npos) << warnings[0];
}

TEST(RealDataTfliteFiles, ANetworkThatTakesChannelsFirstKeepsItsTranspose) {
  const auto path = shared("tflm/mobilenet_v2_quantized_nchw.tflite");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = import_file(path);
  EXPECT_EQ(model.graph.node(0).as<graph::TransposeAttrs>().perm, (std::vector<int>{0, 2, 3, 1}));
  EXPECT_EQ(model.input.origins.at("mean"), graph::Origin::inferred);
  EXPECT_EQ(model.input.height, 224);
  EXPECT_EQ(graph::to_text(import_model(export_model(model), "m").graph), graph::to_text(model.graph));
}

}  // namespace
}  // namespace kinglet::formats::tflite
