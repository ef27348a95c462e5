// The reference interpreter against frozen outputs of TensorFlow Lite's reference kernels and of TensorFlow Lite Micro.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <sstream>

#include "golden_inputs.h"

namespace kinglet::golden {
namespace {

struct Case {
  const char* model;   ///< below models/
  const char* output;  ///< below models/golden/
  ops::Numerics numerics = ops::Numerics::tflm;
  float divisor = 1.0f;  ///< float inputs are byte / divisor
  int limit = 300;       ///< patterns to run: the reference is slow on purpose
};

void PrintTo(const Case& c, std::ostream* os) { *os << c.output; }

class RealDataGolden : public testing::TestWithParam<Case> {};

void expect_equal(std::span<const std::byte> ours, std::span<const std::byte> expected, DType dtype, int pattern) {
  ASSERT_EQ(ours.size(), expected.size());
  if (dtype != DType::f32) {
    EXPECT_TRUE(std::equal(ours.begin(), ours.end(), expected.begin())) << "input pattern " << pattern;
    return;
  }
  for (size_t i = 0; i < ours.size(); i += sizeof(float)) {
    float a, b;
    std::memcpy(&a, &ours[i], sizeof a);
    std::memcpy(&b, &expected[i], sizeof b);
    EXPECT_NEAR(a, b, 1e-5f * std::max(std::abs(b), 1e-3f)) << "input pattern " << pattern << ", output " << i / sizeof(float);
  }
}

TEST_P(RealDataGolden, ReferenceEqualsFrozenOutputs) {
  const Case& c = GetParam();
  const auto model_path = models() / c.model, output_path = models() / "golden" / c.output;
  if (!std::filesystem::exists(model_path)) GTEST_SKIP() << "needs " << model_path;
  const graph::Graph graph = runnable_graph(model_path);
  const auto expected = read_file(output_path);
  const auto& input = graph.value(graph.inputs[0]);
  const auto& output = graph.value(graph.outputs[0]);
  const size_t one = static_cast<size_t>(output.shape.elements()) * dtype_bytes(output.dtype);
  ASSERT_EQ(expected.size() % one, 0u);
  const int patterns = std::min<int>(c.limit, static_cast<int>(expected.size() / one));
  ASSERT_GT(patterns, 0);
  for (int k = 0; k < patterns && !HasFailure(); ++k) {
    const Tensor x = input_tensor(input, input_bytes(static_cast<uint64_t>(k), static_cast<size_t>(input.shape.elements())), c.divisor);
    const auto y = reference::run(graph, std::span(&x, 1), {.numerics = c.numerics, .tap = {}});
    expect_equal(y.at(0).bytes(), std::span(expected).subspan(static_cast<size_t>(k) * one, one), output.dtype, k);
  }
}

constexpr auto kTflm = ops::Numerics::tflm, kLitert2 = ops::Numerics::litert2;
INSTANTIATE_TEST_SUITE_P(Seeed, RealDataGolden,
                         testing::Values(Case{"seeed/cifar10_rep035_int8.tflite", "litert/cifar10_rep035_int8.out"},
                                         Case{"seeed/cifar10_rep035_int8.tflite", "litert/cifar10_rep035_int8.litert2.out", kLitert2},
                                         Case{"seeed/mnist_rep035_int8.tflite", "litert/mnist_rep035_int8.out"},
                                         Case{"seeed/mnist_rep035_int8.tflite", "litert/mnist_rep035_int8.out", kLitert2, 1.0f, 100}));
INSTANTIATE_TEST_SUITE_P(MlperfTiny, RealDataGolden,
                         testing::Values(Case{"mlperf_tiny/resnet8_int8.tflite", "litert/resnet8_int8.out"},
                                         Case{"mlperf_tiny/resnet8_int8.tflite", "litert/resnet8_int8.litert2.out", kLitert2},
                                         Case{"mlperf_tiny/vww_96_int8.tflite", "litert/vww_96_int8.out"},
                                         Case{"mlperf_tiny/vww_96_int8.tflite", "litert/vww_96_int8.out", kLitert2, 1.0f, 100},
                                         Case{"mlperf_tiny/resnet8_float.tflite", "litert/resnet8_float.out", kTflm, 1.0f},
                                         Case{"mlperf_tiny/vww_96_float.tflite", "litert/vww_96_float.out", kTflm, 255.0f}));
INSTANTIATE_TEST_SUITE_P(TflmAndCoral, RealDataGolden,
                         testing::Values(Case{"tflm/person_detect.tflite", "litert/person_detect.out"},
                                         Case{"tflm/mobilenet_v2_quantized_nchw.tflite", "litert/mobilenet_v2_quantized_nchw.out", kTflm, 1.0f, 1},
                                         Case{"tflm/mobilenet_v2_quantized_nchw.tflite", "litert/mobilenet_v2_quantized_nchw.litert2.out", kLitert2,
                                              1.0f, 1},
                                         Case{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out"},
                                         Case{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out", kLitert2, 1.0f, 5},
                                         Case{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out",
                                              ops::Numerics::tflite214, 1.0f, 5},
                                         Case{"coral/mobilenet_v2_1.0_224_quant.tflite", "litert/mobilenet_v2_1.0_224_quant.out", kTflm, 1.0f, 1},
                                         Case{"coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", "litert/tf2_mobilenet_v2_1.0_224_ptq.out", kTflm,
                                              1.0f, 2}));

// TensorFlow Lite's own interpreters refuse the file; ours mends it and says so.
TEST(RealDataGolden, PersonDetectIsOpenedWithAWarning) {
  const auto path = models() / "tflm/person_detect.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  std::vector<std::string> warnings;
  formats::import_file(path, [&](const std::string& text) { warnings.push_back(text); });
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("14 rank-1 tensors name a quantized dimension they do not have"), std::string::npos) << warnings[0];
}

struct CifarCase {
  const char* model;
  const char* output;
};

class RealDataCifarPictures : public testing::TestWithParam<CifarCase> {};

TEST_P(RealDataCifarPictures, First50OutputsAreEqual) {
  const auto model_path = models() / GetParam().model;
  const auto pictures = cifar_pictures(50);
  if (!std::filesystem::exists(model_path) || pictures.empty()) GTEST_SKIP() << "needs " << model_path << " and CIFAR-10 in $KINGLET_DATA";
  const auto model = formats::import_file(model_path);
  const auto expected = read_file(models() / "golden/cifar10_test" / GetParam().output);
  for (size_t k = 0; k < pictures.size(); ++k) {
    const Tensor x = input_tensor(model.graph.value(model.graph.inputs[0]), pictures[k]);
    expect_equal(reference::run(model.graph, std::span(&x, 1)).at(0).bytes(), std::span(expected).subspan(k * 10, 10), DType::s8,
                 static_cast<int>(k));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RealDataCifarPictures,
                         testing::Values(CifarCase{"seeed/cifar10_rep035_int8.tflite", "cifar10_rep035_int8.out"},
                                         CifarCase{"mlperf_tiny/resnet8_int8.tflite", "resnet8_int8.out"}));

/// Lines of a CSV file split at commas.
std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream text(read_text_file(path));
  for (std::string line; std::getline(text, line);) {
    std::vector<std::string> cells;
    std::istringstream parts(line);
    for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
    rows.push_back(std::move(cells));
  }
  return rows;
}

std::string stem(const std::string& name) { return std::filesystem::path(name).stem().string(); }

TEST(RealDataIc01, All200PublishedOutputsAreEqual) {
  const auto folder = models() / "golden/ic01";
  const auto pictures = cifar_pictures(10000);
  if (!std::filesystem::exists(folder) || pictures.empty()) GTEST_SKIP() << "needs " << folder << " and CIFAR-10 in $KINGLET_DATA";
  std::map<std::string, size_t> index_of;
  for (const auto& row : read_csv(folder / "test_batch_index.csv"))
    if (row.size() >= 2 && row[0] != "test_batch_index") index_of[stem(row[1])] = std::stoul(row[0]);
  const auto model = formats::import_file(models() / "mlperf_tiny/resnet8_int8.tflite");
  int compared = 0;
  for (const auto& row : read_csv(folder / "outputs_x256.csv")) {
    if (row.size() < 11 || !index_of.count(stem(row[0]))) continue;
    const Tensor x = input_tensor(model.graph.value(model.graph.inputs[0]), pictures.at(index_of[stem(row[0])]));
    const auto y = reference::run(model.graph, std::span(&x, 1)).at(0);
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(y.data<int8_t>()[i] + 128, std::stoi(row[i + 1])) << row[0] << ", class " << i;
    ++compared;
  }
  EXPECT_EQ(compared, 200);
}

}  // namespace
}  // namespace kinglet::golden
