// Files of PyTorch's exporter, of ONNX Runtime's quantizer and in tf2onnx's patterns: read, run by the reference, compared with what
// their own makers say. Skips without those tools.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "formats/formats.h"
#include "formats/layout.h"
#include "formats/onnx/models_for_test.h"
#include "passes/pipeline.h"

namespace kinglet::formats::onnx {
namespace {

namespace fs = std::filesystem;

class OnnxExporters : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("kinglet_exporters_{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  bool make(const std::string& python, const std::string& script) {
    const auto command = fmt::format("'{}' '{}/tools/oracle/'{} '{}' > '{}/log' 2>&1", python, KINGLET_SOURCE_DIR, script, folder_.string(), folder_.string());
    return std::system(command.c_str()) == 0;
  }

  static int count(const graph::Graph& graph, graph::OpKind op) {
    return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) { return node.op == op; }));
  }

  /// Largest difference from the outputs in NAME.out for the inputs in NAME.in, which follow one another in the file's order of axes.
  double largest_difference(const std::string& name, const graph::Model& model) {
    const auto in = read_file(folder_ / (name + ".in")), out = read_file(folder_ / (name + ".out"));
    const auto& input = model.graph.value(model.graph.inputs[0]);
    const bool nhwc = name == "tf_style";
    const Shape file_shape = nhwc ? input.shape : permuted(input.shape, kNchw);
    const size_t input_bytes = static_cast<size_t>(input.shape.elements()) * sizeof(float);
    double worst = 0;
    size_t at = 0;
    for (size_t k = 0; k * input_bytes < in.size(); ++k) {
      Tensor x(DType::f32, file_shape);
      std::memcpy(x.mutable_bytes().data(), &in[k * input_bytes], input_bytes);
      if (!nhwc) x = permuted(x, kNhwc);
      const Tensor y = reference::run(model.graph, std::span(&x, 1))[0];
      for (float ours : y.data<float>()) {
        float theirs;
        std::memcpy(&theirs, &out.at(at), sizeof theirs);
        worst = std::max(worst, std::abs(double{ours} - double{theirs}));
        at += sizeof theirs;
      }
    }
    EXPECT_EQ(at, out.size()) << name;
    return worst;
  }

  fs::path folder_;
};

TEST_F(OnnxExporters, PyTorchsNetsGiveItsOutputsWithoutATranspose) {
  if (std::system("/usr/bin/python3 -c 'import torchvision' > /dev/null 2>&1") != 0) GTEST_SKIP() << "needs Debian's python3-torchvision (tools/setup test)";
  ASSERT_TRUE(make("/usr/bin/python3", "torch_files.py export")) << read_text_file(folder_ / "log");
  for (const char* name : {"clip", "hard_swish", "swish", "branches", "mobilenet_v2", "mobilenet_v3", "squeezenet", "mnasnet"}) {
    const auto model = import_file(folder_ / (std::string(name) + ".onnx"));
    EXPECT_EQ(count(model.graph, graph::OpKind::Opaque), 0) << name;
    EXPECT_EQ(count(model.graph, graph::OpKind::Transpose), 0) << name;
    EXPECT_LE(largest_difference(name, model), 1e-4) << name;
    if (std::string_view(name) == "mobilenet_v3") {
      EXPECT_GT(count(model.graph, graph::OpKind::HardSwish), 10);
    }
    auto folded = model;
    passes::fold_for_deployment(folded.graph);
    int surplus = -1;
    export_model(folded, &surplus);
    EXPECT_EQ(surplus, 0) << name;
  }
}

TEST_F(OnnxExporters, TensorFlowsPatternsAndQuantizedNetsGiveOnnxRuntimesOutputs) {
  const char* chosen = std::getenv("KINGLET_ORACLES");
  const char* home = std::getenv("HOME");
  const auto python = (chosen ? fs::path(chosen) : fs::path(home ? home : ".") / ".cache/kinglet/oracles") / "onnx/bin/python";
  if (!fs::exists(python)) GTEST_SKIP() << "needs " << python << " (tools/oracle/setup makes it)";
  ASSERT_TRUE(make(python.string(), "onnx_files.py")) << read_text_file(folder_ / "log");
  const auto keras_like = import_file(folder_ / "tf_style.onnx");
  EXPECT_EQ(count(keras_like.graph, graph::OpKind::Opaque), 0);
  EXPECT_EQ(count(keras_like.graph, graph::OpKind::Transpose), 0);
  EXPECT_LE(largest_difference("tf_style", keras_like), 1e-5);
  for (const char* name : {"qdq_u8", "qdq_s8"}) {
    const auto model = import_file(folder_ / (std::string(name) + ".onnx"));
    EXPECT_EQ(count(model.graph, graph::OpKind::Opaque), 0) << name;
    for (const auto& node : model.graph.nodes())
      if (node.op == graph::OpKind::Conv2d) {
        EXPECT_EQ(model.graph.value(node.outputs[0]).dtype, DType::s8) << name;
      }
    const auto& logits = model.graph.value(model.graph.nodes().back().inputs[0]);
    ASSERT_FALSE(logits.quant.empty()) << name;
    EXPECT_LE(largest_difference(name, model), 2.01 * double{logits.quant.scale[0]}) << name;
  }
}

}  // namespace
}  // namespace kinglet::formats::onnx
