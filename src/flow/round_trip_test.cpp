// Models through several formats in a row keep their outputs: int8 to the bit, float within 1e-5; ONNX Runtime's labels of int8 models.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "base/statistics.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/model_files.h"
#include "load/open_model.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

class RoundTrips : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("kinglet_trips_{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// The model written as each format in turn, opened again each time.
  graph::Model through(graph::Model model, std::initializer_list<const char*> formats) {
    for (const char* format : formats) {
      const auto file = export_model(model, format, folder_ / fmt::format("m{}.{}", step_++, format));
      EXPECT_EQ(file.surplus_transposes, 0) << format;
      model = load::open_model(file.path.string());
    }
    return model;
  }

  fs::path folder_;
  int step_ = 0;
};

std::vector<std::byte> random_input(const eval::Engine& engine, bool real, uint64_t seed) {
  std::vector<std::byte> bytes(engine.input_bytes());
  RandomStream random(seed, 1, 0, Purpose::draw);
  if (real)
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      const auto value = static_cast<float>(random.uniform(-1, 1));
      std::memcpy(&bytes[i], &value, sizeof value);
    }
  else
    for (auto& b : bytes) b = static_cast<std::byte>(random.bits());
  return bytes;
}

/// Of the outputs for three inputs: in steps for integers.
double largest_difference(const graph::Model& first, const graph::Model& second) {
  const auto a_model = deployable(first), b_model = deployable(second);
  const auto a = make_engine(a_model, ops::Numerics::tflm, "session", 1), b = make_engine(b_model, ops::Numerics::tflm, "session", 1);
  EXPECT_EQ(a->input_bytes(), b->input_bytes());
  EXPECT_EQ(a->output_bytes(), b->output_bytes());
  const bool real = a_model.graph.value(a_model.graph.inputs[0]).dtype == DType::f32;
  std::vector<std::byte> x(a->output_bytes()), y(a->output_bytes());
  double worst = 0;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const auto input = random_input(*a, real, seed);
    a->run(input, x, 0);
    b->run(input, y, 0);
    if (!real) {
      for (size_t i = 0; i < x.size(); ++i) worst = std::max<double>(worst, std::abs(std::to_integer<int>(x[i]) - std::to_integer<int>(y[i])));
      continue;
    }
    for (size_t i = 0; i + 4 <= x.size(); i += 4) {
      float p, q;
      std::memcpy(&p, &x[i], sizeof p), std::memcpy(&q, &y[i], sizeof q);
      worst = std::max(worst, std::abs(double{p} - double{q}));
    }
  }
  return worst;
}

TEST_F(RoundTrips, PthToOnnxToTflite) {
  for (const char* spec : {"mobilenet_v2_rep@0.35,32x32x3,10", "resnet8@32x32x3,10", "mobilenet_v2@0.35,32x32x3,10", "mobilenet_v3_small@0.35,32x32x3,10", "squeezenet@64x64x3,10"}) {
    const auto model = load::open_model(spec);
    EXPECT_LE(largest_difference(model, through(model, {"pth", "onnx", "tflite"})), 1e-5) << spec;
  }
}

TEST_F(RoundTrips, SafetensorsToTfliteToOnnx) {
  const auto model = load::open_model("mobilenet_v1@0.25,96x96x3,2,act=relu,bias=yes,input=unit");
  EXPECT_LE(largest_difference(model, through(model, {"safetensors", "tflite", "onnx"})), 1e-5);
}

class RealDataRoundTrips : public RoundTrips, public testing::WithParamInterface<const char*> {};

TEST_P(RealDataRoundTrips, OnnxToTfliteAndBackKeepsTheOutputs) {
  const auto path = fs::path(KINGLET_SHARED) / "models" / GetParam();
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = load::open_model(path.string());
  const bool real = model.graph.value(model.graph.inputs[0]).dtype == DType::f32;
  EXPECT_LE(largest_difference(model, through(model, {"onnx", "tflite", "pth", "tflite"})), real ? 1e-5 : 0);
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataRoundTrips,
                         testing::Values("mlperf_tiny/resnet8_int8.tflite", "mlperf_tiny/vww_96_int8.tflite", "seeed/cifar10_rep035_int8.tflite", "mlperf_tiny/resnet8_float.tflite",
                                         "mlperf_tiny/resnet8.h5"),
                         [](const auto& test) {
                           std::string name = fs::path(test.param).filename().string();
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

struct Subject {
  const char *name, *model, *data;
};

class RealDataOnnxRuntime : public RoundTrips, public testing::WithParamInterface<Subject> {
 protected:
  static fs::path python(const std::string& oracle) {
    const char* chosen = std::getenv("KINGLET_ORACLES");
    const char* home = std::getenv("HOME");
    return (chosen ? fs::path(chosen) : fs::path(home ? home : ".") / ".cache/kinglet/oracles") / oracle / "bin/python";
  }

  /// All outputs of `script` (of tools/oracle) for the raw inputs.
  std::vector<std::byte> run_oracle(const std::string& oracle, const std::string& script, const fs::path& model, const std::vector<std::byte>& inputs, const std::string& more = "") {
    write_file(folder_ / "in", inputs);
    const auto command = fmt::format("'{}' '{}/tools/oracle/{}' '{}' --raw-input '{}/in' --raw-output '{}/out' {} > '{}/log' 2>&1", python(oracle).string(), KINGLET_SOURCE_DIR, script,
                                     model.string(), folder_.string(), folder_.string(), more, folder_.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << read_text_file(folder_ / "log");
    return read_file(folder_ / "out");
  }
};

/// H x W x C to C x H x W.
std::vector<std::byte> planes(std::span<const std::byte> picture, size_t channels) {
  std::vector<std::byte> out(picture.size());
  const size_t pixels = picture.size() / channels;
  for (size_t i = 0; i < pixels; ++i)
    for (size_t c = 0; c < channels; ++c) out[c * pixels + i] = picture[i * channels + c];
  return out;
}

int label(std::span<const std::byte> scores) {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i)
    if (static_cast<int8_t>(scores[i]) > static_cast<int8_t>(scores[best])) best = i;
  return static_cast<int>(best);
}

/// Pictures, of n, that get one label by both; prints it with its interval.
Interval agreement(const std::string& what, const std::vector<std::byte>& ours, const std::vector<std::byte>& theirs, size_t classes) {
  EXPECT_EQ(theirs.size(), ours.size());
  const size_t n = ours.size() / classes;
  int64_t agree = 0;
  int largest = 0;
  for (size_t i = 0; i < n; ++i) agree += label(std::span(ours).subspan(i * classes, classes)) == label(std::span(theirs).subspan(i * classes, classes));
  for (size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(static_cast<int8_t>(ours[i]) - static_cast<int8_t>(theirs[i])));
  const auto interval = wilson95(agree, static_cast<int64_t>(n));
  fmt::print("{}: the same label for {} of {} pictures ({:.2f} %, 95 % interval {:.2f} to {:.2f}); largest difference of a score {} steps\n", what, agree, n,
             100.0 * static_cast<double>(agree) / static_cast<double>(n), 100 * interval.low, 100 * interval.high, largest);
  return interval;
}

/// ONNX Runtime requantizes in float and rounds once where TensorFlow Lite Micro rounds twice: one value in a thousand differs by a step
/// after the first convolution, and the deeper the more. How many labels flip is a property of the model (a step of resnet8's logits is
/// worth up to 43 of its scores' 256), so the measure is how often TensorFlow Lite's own two sets of kernels agree with each other.
TEST_P(RealDataOnnxRuntime, GivesTheLabelsOfOurInt8Models) {
  const auto path = fs::path(GetParam().model).is_absolute() ? fs::path(GetParam().model) : fs::path(KINGLET_SOURCE_DIR) / GetParam().model;
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  for (const char* oracle : {"onnx", "litert2"})
    if (!fs::exists(python(oracle))) GTEST_SKIP() << "needs " << python(oracle) << " (tools/oracle/setup makes it)";
  if (!std::getenv("KINGLET_DATA")) GTEST_SKIP() << "needs " << GetParam().data << " in KINGLET_DATA";
  const auto model = load::open_model(path.string());
  const auto pictures = data::open_dataset(GetParam().data, "test");
  const data::Preprocessor preprocessor(model.input, model.graph.value(model.graph.inputs[0]));
  const auto engine = make_engine(model, ops::Numerics::tflm, "session", 1);
  std::vector<std::byte> ours, inputs, turned, input(engine->input_bytes()), output(engine->output_bytes());
  for (int64_t i = 0; i < std::min<int64_t>(1000, pictures->size()); ++i) {
    preprocessor.run(pictures->image(i), input);
    engine->run(input, output, 0);
    ours.insert(ours.end(), output.begin(), output.end());
    inputs.insert(inputs.end(), input.begin(), input.end());
    const auto picture = planes(input, 3);
    turned.insert(turned.end(), picture.begin(), picture.end());
  }
  const auto file = export_model(model, "onnx", folder_ / "m.onnx");
  EXPECT_EQ(file.surplus_transposes, 0);
  const std::string name = GetParam().name;
  const auto onnx = agreement(name + ", ONNX Runtime", ours, run_oracle("onnx", "run_onnx.py", file.path, turned), output.size());
  const auto tflite = agreement(name + ", TensorFlow Lite's fast kernels", ours, run_oracle("litert2", "run_tflite.py", path, inputs, "--fast"), output.size());
  EXPECT_GE(onnx.high, std::min(0.995, tflite.low));
  EXPECT_GE(onnx.low, 0.95);
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataOnnxRuntime,
                         testing::Values(Subject{"resnet8", KINGLET_SHARED "/models/mlperf_tiny/resnet8_int8.tflite", "cifar10:test"},
                                         Subject{"cifar10_rep035", "models/cifar10_rep035/cifar10_rep035_int8.tflite", "cifar10:test"},
                                         Subject{"vww", KINGLET_SHARED "/models/mlperf_tiny/vww_96_int8.tflite", "person:test"}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace kinglet::flow
