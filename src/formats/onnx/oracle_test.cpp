// Exported files in onnx.checker and ONNX Runtime against the reference interpreter. Needs the environment that
// tools/oracle/setup makes; skips without it.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "formats/formats.h"
#include "formats/layout.h"
#include "formats/onnx/models_for_test.h"

namespace kinglet::formats::onnx {
namespace {

std::filesystem::path python() {
  const char* chosen = std::getenv("KINGLET_ORACLES");
  const char* home = std::getenv("HOME");
  const auto folder = chosen ? std::filesystem::path(chosen) : std::filesystem::path(home ? home : ".") / ".cache/kinglet/oracles";
  return folder / "onnx/bin/python";
}

std::vector<std::byte> run_oracle(const graph::Model& model, std::span<const std::byte> input) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("kinglet_onnx_{}", getpid());
  std::filesystem::create_directories(folder);
  write_file(folder / "m.onnx", export_model(model));
  write_file(folder / "in", input);
  const auto command = fmt::format("'{}' '{}/tools/oracle/run_onnx.py' '{}/m.onnx' --raw-input '{}/in' --raw-output '{}/out' > '{}/log' 2>&1",
                                   python().string(), KINGLET_SOURCE_DIR, folder.string(), folder.string(), folder.string(), folder.string());
  std::vector<std::byte> output;
  if (std::system(command.c_str()) == 0) output = read_file(folder / "out");
  else ADD_FAILURE() << "ONNX Runtime refuses the file: " << read_text_file(folder / "log");
  std::filesystem::remove_all(folder);
  return output;
}

Tensor nchw(const Tensor& x) { return x.shape().rank() == 4 ? permuted(x, kNchw) : x; }

/// Largest difference over all outputs: of floats, or in steps of integers.
double largest_difference(const graph::Model& model, uint64_t inputs) {
  const auto& in = model.graph.value(model.graph.inputs[0]);
  std::vector<std::byte> raw;
  for (uint64_t k = 0; k < inputs; ++k) {
    const Tensor x = nchw(random_tensor(in.dtype, in.shape, k));
    raw.insert(raw.end(), x.bytes().begin(), x.bytes().end());
  }
  const auto theirs = run_oracle(model, raw);
  double worst = 0;
  size_t at = 0;
  for (uint64_t k = 0; k < inputs; ++k) {
    const Tensor x = random_tensor(in.dtype, in.shape, k);
    for (const Tensor& out : reference::run(model.graph, std::span(&x, 1))) {
      const Tensor ours = nchw(out);
      if (at + ours.size_bytes() > theirs.size()) return INFINITY;
      for (size_t i = 0; i < static_cast<size_t>(ours.elements()); ++i) {
        float value = 0;
        if (ours.dtype() == DType::f32) std::memcpy(&value, &theirs[at + i * sizeof value], sizeof value);
        const double miss = ours.dtype() == DType::f32 ? double{ours.data<float>()[i]} - double{value}
                                                       : static_cast<int8_t>(ours.bytes()[i]) - static_cast<int8_t>(theirs[at + i]);
        worst = std::max(worst, std::abs(miss));
      }
      at += ours.size_bytes();
    }
  }
  EXPECT_EQ(at, theirs.size());
  return worst;
}

class OnnxOracle : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(python())) GTEST_SKIP() << "needs " << python() << " (tools/oracle/setup makes it)";
  }
};

TEST_F(OnnxOracle, GivesOurFloatOutputs) { EXPECT_LE(largest_difference(picture_model(), 4), 1e-4); }

TEST_F(OnnxOracle, GivesOurOutputsOfRandomFloatGraphs) {
  for (uint64_t seed = 1; seed <= 4; ++seed) EXPECT_LE(largest_difference(golden::random_model(seed, DType::f32), 2), 1e-4) << "seed " << seed;
}

TEST_F(OnnxOracle, GivesOurOutputsOfSharedFloatModels) {
  for (const char* name : {"mlperf_tiny/resnet8_float.tflite", "mlperf_tiny/vww_96_float.tflite"}) {
    const auto path = std::filesystem::path(KINGLET_SHARED) / "models" / name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
    EXPECT_LE(largest_difference(import_file(path), 1), 1e-4) << name;
  }
}

/// The integers of an operator alone, with random bytes in: ONNX Runtime requantizes in float, one step apart at most.
TEST_F(OnnxOracle, GivesOurIntegersOfOneConvolutionWithinAStep) {
  ops::GraphBuilder b;
  const auto x = b.input("x", Shape{1, 6, 5, 4}, DType::s8, graph::QuantParams::per_tensor(0.05f, 3));
  const graph::QuantParams per_channel{{0.01f, 0.02f, 0.005f}, {0, 0, 0}, 0};
  const auto w = b.constant("w", random_tensor(DType::s8, Shape{3, 3, 3, 4}, 9), false, per_channel);
  const auto bias = b.constant("b", Tensor::of<int32_t>(Shape{3}, std::vector<int32_t>{1000, -2000, 300}));
  b.output(b.node(graph::OpKind::Conv2d,
                  graph::Conv2dAttrs{.stride_h = 2, .stride_w = 1, .padding = {.mode = graph::PaddingMode::same}, .activation = graph::Activation::relu6},
                  {x, w, bias}, "y", graph::QuantParams::per_tensor(6.0f / 255, -128)));
  graph::Model model;
  model.graph = b.finish();
  EXPECT_LE(largest_difference(model, 8), 1);
}

}  // namespace
}  // namespace kinglet::formats::onnx
