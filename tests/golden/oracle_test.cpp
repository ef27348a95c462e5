// Exported files in TensorFlow Lite's own interpreters (reference kernels) against the reference interpreter, bit by bit.
// Needs the environments that tools/oracle/setup makes; skips without them.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "base/random.h"
#include "formats/tflite/tflite.h"
#include "golden_inputs.h"
#include "random_graph.h"

namespace kinglet::golden {
namespace {

struct Engine {
  const char* folder;
  ops::Numerics numerics;
};

constexpr Engine kOld{"tflite214", ops::Numerics::tflite214}, kNew{"litert2", ops::Numerics::litert2};

void PrintTo(const Engine& e, std::ostream* os) { *os << e.folder; }

std::filesystem::path python(const Engine& engine) {
  const char* chosen = std::getenv("KINGLET_ORACLES");
  const char* home = std::getenv("HOME");
  const auto folder = chosen ? std::filesystem::path(chosen) : std::filesystem::path(home ? home : ".") / ".cache/kinglet/oracles";
  return folder / engine.folder / "bin/python";
}

/// A folder of this test's own, removed at the end.
class Scratch {
 public:
  Scratch()
      : path_(std::filesystem::temp_directory_path() / fmt::format("kinglet_oracle_{}_{}", getpid(), reinterpret_cast<uintptr_t>(this))) {
    std::filesystem::create_directories(path_);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// The outputs of the interpreter for `input` (N tensors), empty with a failure noted if it refuses the file.
std::vector<std::byte> run_oracle(const Engine& engine, std::span<const std::byte> model, std::span<const std::byte> input) {
  const Scratch scratch;
  write_file(scratch / "m.tflite", model);
  write_file(scratch / "in", input);
  const auto command = fmt::format("'{}' '{}/tools/oracle/run_tflite.py' '{}' --raw-input '{}' --raw-output '{}' > '{}' 2>&1",
                                   python(engine).string(), KINGLET_SOURCE_DIR, (scratch / "m.tflite").string(), (scratch / "in").string(),
                                   (scratch / "out").string(), (scratch / "log").string());
  if (std::system(command.c_str()) != 0) {
    ADD_FAILURE() << engine.folder << " refuses the file: " << read_text_file(scratch / "log");
    return {};
  }
  return read_file(scratch / "out");
}

Tensor random_input(const graph::Value& value, uint64_t seed) {
  Tensor x(value.dtype, value.shape);
  RandomStream random(seed, 1, 0, Purpose::draw);
  for (size_t i = 0; i < static_cast<size_t>(x.elements()); ++i) {
    if (value.dtype == DType::f32)
      x.mutable_data<float>()[i] = static_cast<float>(random.uniform(-2, 2));
    else
      x.mutable_bytes()[i] = static_cast<std::byte>(random.bits());
  }
  return x;
}

/// Floats: libm's exp and the order of sums differ between engines.
bool agree(std::span<const std::byte> ours, std::span<const std::byte> theirs, DType dtype) {
  if (dtype != DType::f32) return std::equal(ours.begin(), ours.end(), theirs.begin());
  for (size_t i = 0; i < ours.size(); i += sizeof(float)) {
    float a, b;
    std::memcpy(&a, &ours[i], sizeof a);
    std::memcpy(&b, &theirs[i], sizeof b);
    if (!(std::abs(a - b) <= 1e-5f * std::max(1.0f, std::abs(b)))) return false;
  }
  return true;
}

constexpr uint64_t kInputs = 4;

/// Runs the model on a few random inputs here and in the interpreter, and compares each layer that is an output.
void compare(const Engine& engine, const graph::Model& model, const std::string& what) {
  const auto file = formats::tflite::export_model(model);
  graph::Graph graph = model.graph;
  if (std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const graph::Node& node) { return node.rule == graph::NodeRule::legacy_u8; })) {
    graph = formats::tflite::import_model(file, what).graph;  // in uint8, as the file says it
    passes::PassLog log;
    passes::convert_legacy_uint8(graph, log);
  }
  std::vector<std::byte> raw;
  std::vector<Tensor> inputs;
  for (uint64_t k = 0; k < kInputs; ++k) {
    inputs.push_back(random_input(graph.value(graph.inputs[0]), k));
    raw.insert(raw.end(), inputs.back().bytes().begin(), inputs.back().bytes().end());
  }
  const auto theirs = run_oracle(engine, file, raw);
  size_t at = 0;
  for (const Tensor& x : inputs) {
    const auto ours = reference::run(graph, std::span(&x, 1), {.numerics = engine.numerics, .tap = {}});
    for (size_t i = 0; i < ours.size(); at += ours[i++].size_bytes()) {
      ASSERT_LE(at + ours[i].size_bytes(), theirs.size()) << what;
      EXPECT_TRUE(agree(ours[i].bytes(), std::span(theirs).subspan(at, ours[i].size_bytes()), ours[i].dtype()))
          << what << ": layer " << graph.value(graph.outputs[i]).name;
    }
  }
  EXPECT_EQ(at, theirs.size()) << what;
}

class Oracle : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(python(GetParam()))) GTEST_SKIP() << "needs " << python(GetParam()) << " (tools/oracle/setup makes it)";
  }

  void compare_random(DType dtype, uint64_t seeds) {
    for (uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed)
      compare(GetParam(), random_model(seed, dtype, true), fmt::format("seed {}", seed));
  }
};

TEST_P(Oracle, RunsRandomInt8GraphsToTheSameBits) { compare_random(DType::s8, 12); }
TEST_P(Oracle, RunsRandomUint8GraphsToTheSameBits) { compare_random(DType::u8, 8); }
TEST_P(Oracle, RunsRandomFloatGraphs) { compare_random(DType::f32, 4); }

TEST_P(Oracle, RunsReExportedSharedModelsToTheSameBits) {
  for (const char* name :
       {"seeed/cifar10_rep035_int8", "seeed/mnist_rep035_int8", "mlperf_tiny/resnet8_int8", "mlperf_tiny/resnet8_float",
        "mlperf_tiny/vww_96_int8", "mlperf_tiny/vww_96_float", "tflm/person_detect", "coral/tf2_mobilenet_v2_1.0_224_ptq", "tflm/mobilenet_v2_quantized_nchw",
        "coral/mobilenet_v1_0.25_128_quant"}) {
    const auto path = models() / (std::string(name) + ".tflite");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
    auto model = formats::import_file(path);
    passes::PassLog log;
    passes::convert_legacy_uint8(model.graph, log);
    compare(GetParam(), model, name);
  }
}

INSTANTIATE_TEST_SUITE_P(TensorFlowLite, Oracle, testing::Values(kOld, kNew),
                         [](const auto& test) { return std::string(test.param.folder); });

}  // namespace
}  // namespace kinglet::golden
