// Files of tensors opened by an architecture's name; PyTorch's own files where Debian's python3-torchvision is installed.
#include "load/state_model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/model_files.h"
#include "load/open_model.h"
#include "formats/torch_pth/torch_pth.h"
#include "zoo/state_names.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

graph::Model open_as(const fs::path& path, const std::string& arch) {
  load::OpenOptions options;
  options.arch = arch;
  options.warn = [](const std::string&) {};
  return load::open_model(path.string(), options);
}

std::vector<float> outputs_of(const graph::Model& model, std::span<const std::byte> input) {
  const auto deployed = deployable(model);
  auto engine = make_engine(deployed, ops::Numerics::tflm, "session", 1);
  std::vector<std::byte> output(engine->output_bytes());
  EXPECT_EQ(input.size(), engine->input_bytes());
  engine->run(input, output, 0);
  std::vector<float> scores(output.size() / sizeof(float));
  std::memcpy(scores.data(), output.data(), output.size());
  return scores;
}

double largest_difference(const std::vector<float>& a, std::span<const std::byte> b) {
  EXPECT_EQ(a.size() * sizeof(float), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    float value;
    std::memcpy(&value, &b[i * sizeof value], sizeof value);
    worst = std::max(worst, std::abs(double{a[i]} - double{value}));
  }
  return worst;
}

class StateFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("kinglet_state_{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

/// A name as SenseCraft Model Assistant writes it into a whole detector's checkpoint.
std::string trainers_name(const std::string& ours) {
  const std::string other = zoo::other_name("mobilenet_v2_rep", ours);
  EXPECT_FALSE(other.empty()) << ours;
  return (other.starts_with("fc.") ? "head." : "backbone.") + other;
}

TEST_F(StateFiles, RepNetsOpenByTheirTrainersNames) {
  const auto model = load::open_model("mobilenet_v2_rep@0.35,32x32x3,10");
  auto state = formats::state_of(model);
  for (auto& entry : state.tensors) entry.first = trainers_name(entry.first);
  EXPECT_EQ(state.tensors[5].first, "backbone.layer1.0.conv3x3.conv.weight");
  state.metadata.clear();
  state.tensors.emplace_back("backbone.layer1.0.fuse_conv.weight", Tensor(DType::f32, Shape{16, 16, 3, 3}));
  write_file(folder_ / "rep.pth", formats::torch_pth::write_state(state));
  for (const char* arch : {"mobilenet_v2_rep@0.35,32x32x3,10", "mobilenet_v2_rep"}) {
    const auto back = open_as(folder_ / "rep.pth", arch);
    for (int v = 0; v < model.graph.value_count(); ++v)
      if (model.graph.value(v).constant) {
        EXPECT_TRUE(*back.graph.value(v).constant == *model.graph.value(v).constant) << model.graph.value(v).name;
      }
    EXPECT_EQ(back.provenance["weights"], "rep.pth");
    EXPECT_FALSE(graph::weak_fields(back.input).empty());
  }
}

TEST_F(StateFiles, ABareNameTakesClassesAndChannelsFromTheTensors) {
  auto state = formats::state_of(load::open_model("mobilenet_v2_rep@0.35,32x32x1,7"));
  state.metadata.clear();
  write_file(folder_ / "m.pth", formats::torch_pth::write_state(state));
  const auto back = open_as(folder_ / "m.pth", "mobilenet_v2_rep");
  EXPECT_EQ(back.graph.value(back.graph.outputs[0]).shape, (Shape{1, 7}));
  EXPECT_EQ(back.input.channels, 1);
}

std::string refusal(const fs::path& path, const std::string& arch) {
  try {
    open_as(path, arch);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_F(StateFiles, WhatDoesNotFitIsNamed) {
  auto state = formats::state_of(load::open_model("mobilenet_v2_rep@0.35,32x32x3,10"));
  state.metadata.clear();
  write_file(folder_ / "m.pth", formats::torch_pth::write_state(state));
  EXPECT_NE(refusal(folder_ / "m.pth", "").find("name its architecture (--arch, in a recipe model): mobilenet_v2_rep"), std::string::npos) << refusal(folder_ / "m.pth", "");
  EXPECT_NE(refusal(folder_ / "m.pth", "mobilenet_v2_rep@0.5,32x32x3,10").find("where 'stage1.block0.conv.weight' needs 32x16x3x3"), std::string::npos)
      << refusal(folder_ / "m.pth", "mobilenet_v2_rep@0.5,32x32x3,10");
  EXPECT_NE(refusal(folder_ / "m.pth", "resnet8@32x32x3,10").find("lacks tensors of resnet8"), std::string::npos) << refusal(folder_ / "m.pth", "resnet8@32x32x3,10");
  EXPECT_NE(refusal(folder_ / "m.pth", "resnet9").find("did you mean 'resnet8'"), std::string::npos);
  const auto onnx = export_model(load::open_model("mobilenet_v2_rep@0.35,32x32x3,10"), "onnx", folder_ / "m.onnx").path;
  EXPECT_NE(refusal(onnx, "resnet8@32x32x3,10").find("says its own network"), std::string::npos);
}

class PyTorchFiles : public StateFiles {
 protected:
  void SetUp() override {
    StateFiles::SetUp();
    if (std::system("/usr/bin/python3 -c 'import torchvision' > /dev/null 2>&1") != 0) GTEST_SKIP() << "needs Debian's python3-torchvision (tools/setup test)";
  }
  void torch(const std::string& arguments) {
    const auto command = fmt::format("/usr/bin/python3 '{}/tools/oracle/torch_files.py' {} > '{}/log' 2>&1", KINGLET_SOURCE_DIR, arguments, folder_.string());
    ASSERT_EQ(std::system(command.c_str()), 0) << read_text_file(folder_ / "log");
  }
};

TEST_F(PyTorchFiles, EveryKindOfCheckpointGivesPyTorchsScores) {
  torch(fmt::format("make '{}'", folder_.string()));
  const auto input = read_file(folder_ / "input.bin"), want = read_file(folder_ / "output.bin");
  for (const char* name : {"zip.pth", "legacy.pth", "checkpoint.pth"})
    EXPECT_LT(largest_difference(outputs_of(open_as(folder_ / name, "mobilenet_v2@1.0,64x64x3,10"), input), want), 1e-5) << name;
  EXPECT_LT(largest_difference(outputs_of(open_as(folder_ / "half.pth", "mobilenet_v2@1.0,64x64x3,10"), input), want), 1e-2);
  for (const auto& [name, arch] : {std::pair{"mnasnet0_75", "mnasnet_b1@0.75,64x64x3,10"}, {"mobilenet_v3_small", "mobilenet_v3_small@1.0,64x64x3,10"},
                                   {"squeezenet1_1", "squeezenet@64x64x3,10"}}) {
    const auto model = open_as(folder_ / (std::string(name) + ".pth"), arch);
    EXPECT_LT(largest_difference(outputs_of(model, read_file(folder_ / (std::string(name) + ".nhwc"))), read_file(folder_ / (std::string(name) + ".scores"))), 1e-5) << name;
  }
}

TEST_F(PyTorchFiles, PyTorchLoadsWhatWeWriteWithWeightsOnly) {
  const auto model = load::open_model("mobilenet_v2@1.0,64x64x3,10");
  const auto file = export_model(model, "pth", folder_ / "ours.pth").path;
  std::vector<std::byte> input(64 * 64 * 3 * sizeof(float));
  auto* pixels = reinterpret_cast<float*>(input.data());
  for (size_t i = 0; i < input.size() / sizeof(float); ++i) pixels[i] = static_cast<float>(i % 101) / 50 - 1;
  write_file(folder_ / "in", input);
  torch(fmt::format("load '{0}' '{1}/in' '{1}/out'", file.string(), folder_.string()));
  EXPECT_LT(largest_difference(outputs_of(model, input), read_file(folder_ / "out")), 1e-5);
}

}  // namespace
}  // namespace kinglet::flow
