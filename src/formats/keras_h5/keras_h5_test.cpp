// Keras files: the published ones against their float .tflite twins, configurations of our own, and what is refused.
#include "formats/keras_h5/keras_h5.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "formats/formats.h"
#include "formats/keras_h5/network.h"
#include "formats/onnx/models_for_test.h"

namespace kinglet::formats::keras_h5 {
namespace {

namespace fs = std::filesystem;

class RealDataKeras : public testing::TestWithParam<const char*> {};

TEST_P(RealDataKeras, GivesTheOutputsOfItsFloatTwin) {
  const auto folder = fs::path(KINGLET_SHARED) / "models/mlperf_tiny";
  const auto path = folder / (std::string(GetParam()) + ".h5");
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto keras = import_file(path), twin = import_file(folder / (std::string(GetParam()) + "_float.tflite"));
  const Shape shape = keras.graph.value(keras.graph.inputs[0]).shape;
  ASSERT_EQ(shape, twin.graph.value(twin.graph.inputs[0]).shape);
  const bool raw = std::string_view(GetParam()) == "resnet8";
  double worst = 0;
  for (uint64_t k = 0; k < 4; ++k) {
    Tensor x(DType::f32, shape);
    RandomStream random(k, 1, 0, Purpose::draw);
    for (float& v : x.mutable_data<float>()) v = static_cast<float>(random.bits() % 256) / (raw ? 1.0f : 255.0f);
    const Tensor a = reference::run(keras.graph, std::span(&x, 1))[0], b = reference::run(twin.graph, std::span(&x, 1))[0];
    for (size_t i = 0; i < a.data<float>().size(); ++i) worst = std::max(worst, std::abs(double{a.data<float>()[i]} - double{b.data<float>()[i]}));
  }
  EXPECT_LE(worst, 1e-5);
  RecordProperty("largest_difference", std::to_string(worst));
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataKeras, testing::Values("resnet8", "vww_96"), [](const auto& test) { return std::string(test.param); });

Tensor numbered(const Shape& shape) {
  Tensor tensor(DType::f32, shape);
  float next = 0;
  for (float& v : tensor.mutable_data<float>()) v = (next += 1) / 16;
  return tensor;
}

/// One Dense layer of 2 behind a flattened 2x2x1 picture.
Contents small_sequence() {
  Contents contents;
  contents.config = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 2, 2, 1], "name": "picture"}},
    {"class_name": "Flatten", "config": {"name": "flat"}},
    {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "softmax", "use_bias": true}}]}})";
  contents.weights["dense"] = {{"kernel", numbered(Shape{4, 2})}, {"bias", numbered(Shape{2})}};
  return contents;
}

std::string refusal(const Contents& contents) {
  try {
    model_from_contents(contents, "m.h5");
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  ASSERT_NE(text.find(what), std::string::npos);
  text.replace(text.find(what), what.size(), with);
}

TEST(Keras, ASequenceBecomesAGraph) {
  const auto model = model_from_contents(small_sequence(), "m.h5");
  EXPECT_EQ(model.name, "m");
  ASSERT_EQ(model.graph.node_count(), 3);
  const Tensor x = numbered(Shape{1, 2, 2, 1});
  const auto y = reference::run(model.graph, std::span(&x, 1))[0];
  // logits: sum of (i / 16) * kernel[i - 1][c] + bias[c], exactly 0.1953125 + 1/16 and 0.234375 + 2/16
  EXPECT_NEAR(y.data<float>()[1] / y.data<float>()[0], std::exp(0.234375 + 0.125 - 0.1953125 - 0.0625), 1e-5);
  EXPECT_FALSE(graph::weak_fields(model.input).empty());
}

TEST(Keras, NewAndOldWaysOfNamingInputsAreRead) {
  const std::string old_way = R"([[["a", 0, 0, {}], ["b", 0, 0, {}]]])";
  const std::string new_way = R"([{"args": [[{"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "keras_history": ["a", 0, 0]}},
    {"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "keras_history": ["b", 0, 0]}}]], "kwargs": {}}])";
  for (const auto& inbound : {old_way, new_way}) {
    Contents contents;
    contents.config = R"({"class_name": "Functional", "config": {"name": "f", "layers": [
      {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 4], "name": "a"}, "name": "a", "inbound_nodes": []},
      {"class_name": "Activation", "config": {"name": "b", "activation": "relu"}, "name": "b", "inbound_nodes": [[["a", 0, 0, {}]]]},
      {"class_name": "Add", "config": {"name": "c"}, "name": "c", "inbound_nodes": )" + inbound + R"(}],
      "input_layers": [["a", 0, 0]], "output_layers": [["c", 0, 0]]}})";
    const auto model = model_from_contents(contents, "m.h5");
    ASSERT_EQ(model.graph.node_count(), 2);
    EXPECT_EQ(model.graph.node(1).inputs, (std::vector<graph::ValueId>{0, 1}));
  }
}

TEST(BadKeras, ConfigurationsAreRefusedInWords) {
  Contents contents = small_sequence();
  contents.weights.clear();
  EXPECT_NE(refusal(contents).find("m.h5: layer dense (Dense): lacks its weight 'kernel'"), std::string::npos) << refusal(contents);
  contents = small_sequence();
  contents.weights["dense"]["kernel"] = numbered(Shape{3, 2});
  EXPECT_NE(refusal(contents).find("m.h5: layer dense (Dense)"), std::string::npos) << refusal(contents);
  contents = small_sequence();
  replace(contents.config, R"("class_name": "Flatten")", R"("class_name": "LSTM")");
  EXPECT_NE(refusal(contents).find("layer flat (LSTM): is of a kind that Kinglet does not know"), std::string::npos) << refusal(contents);
  contents = small_sequence();
  replace(contents.config, "softmax", "selu");
  EXPECT_NE(refusal(contents).find("activation 'selu'"), std::string::npos) << refusal(contents);
  contents = small_sequence();
  replace(contents.config, "[null, 2, 2, 1]", "[null, null, 2, 1]");
  EXPECT_NE(refusal(contents).find("has no fixed size"), std::string::npos) << refusal(contents);
  contents = small_sequence();
  replace(contents.config, "[null, 2, 2, 1]", "[null, 2000000000, 2000000000, 1]");
  EXPECT_NE(refusal(contents), "accepted");
  contents.config = "{\"class_name\": 5}";
  EXPECT_NE(refusal(contents).find("class_name"), std::string::npos);
}

TEST(BadKeras, PackedContentsAreReadWithinBounds) {
  const auto sound = pack(small_sequence());
  EXPECT_EQ(unpack(sound, "m.h5").weights.at("dense").size(), 2u);
  for (size_t n = 0; n < sound.size(); ++n) EXPECT_THROW(unpack(std::span(sound).first(n), "m.h5"), Error) << n;
}

TEST(BadKeras, DamagedFilesEndInWordsAndInTime) {
  std::vector<std::byte> file(4096, std::byte{0});
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
  std::memcpy(file.data(), kSignature.data(), kSignature.size());
  EXPECT_THROW(import_model(file, "m.h5"), Error);
  const auto path = fs::path(KINGLET_SHARED) / "models/mlperf_tiny/resnet8.h5";
  if (!fs::exists(path)) return;
  const auto sound = read_file(path);
  RandomStream random(3, 0, 0, Purpose::draw);
  int refusals = 0;
  for (int k = 0; k < 40; ++k) {
    auto spoiled = sound;
    for (int i = 0; i < 30; ++i) spoiled[random.bits() % (k % 2 ? 4096 : spoiled.size())] ^= static_cast<std::byte>(1 + random.bits() % 255);
    try {
      import_model(spoiled, "m.h5");
    } catch (const Error&) {
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 5);
}

}  // namespace
}  // namespace kinglet::formats::keras_h5
