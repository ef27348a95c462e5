#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/kinglet.h"
#include "flow/model_files.h"
#include "load/open_model.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNet = "mobilenet_v2_rep@0.35,32x32x1,10";

class FlowFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("kinglet_flow_test_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST(Deploy, FoldsWithProofAndKeepsBothCounts) {
  const auto model = load::open_model(kNet);
  ASSERT_TRUE(has_training_operators(model.graph));
  const auto pictures = data::open_dataset("drawn_digits:train", "train");
  quantize::FoldProof proof;
  const auto folded = fold_with_proof(model, *pictures, 5, proof);
  EXPECT_FALSE(has_training_operators(folded.graph));
  EXPECT_EQ(proof.n, 5);
  EXPECT_EQ(proof.label_flips, 0);
  EXPECT_LT(proof.max_output_difference, 1e-4);
  const auto cost = model_cost(folded);
  EXPECT_EQ(cost.deployed.params, 30586);
  EXPECT_EQ(cost.deployed.macs, 1290560);
  EXPECT_GT(cost.train_params, cost.deployed.params);
  EXPECT_EQ(model_cost(model).train_params, cost.train_params);
}

TEST_F(FlowFiles, EveryFormatComesBackWithTheSameAnswers) {
  const auto model = deployable(load::open_model(kNet));
  auto engine = make_engine(model, ops::Numerics::tflm, "reference", 1);
  std::vector<std::byte> input(engine->input_bytes()), want(engine->output_bytes()), got(want.size());
  for (const auto& format : export_formats()) {
    const auto file = export_model(model, format, folder_ / ("m." + format));
    EXPECT_EQ(file.bytes, fs::file_size(file.path));
    const auto back = load::open_model(file.path.string());
    EXPECT_EQ(back.input.height, 32) << format;
    auto other = make_engine(back, ops::Numerics::tflm, "session", 1);
    engine->run(input, want, 0);
    other->run(input, got, 0);
    for (size_t i = 0; i < want.size() / 4; ++i)
      EXPECT_NEAR(reinterpret_cast<const float*>(want.data())[i], reinterpret_cast<const float*>(got.data())[i], 1e-5) << format;
  }
}

TEST_F(FlowFiles, UnknownFormatsAndFilesAreRefused) {
  const auto model = load::open_model(kNet);
  EXPECT_THROW(export_model(model, "tflit", folder_ / "m"), Error);
  EXPECT_FALSE(fs::exists(folder_ / "m"));
  EXPECT_THROW(load::open_model((folder_ / "none.tflite").string()), Error);
  EXPECT_THROW(make_engine(deployable(model), ops::Numerics::tflm, "sesion"), Error);
  EXPECT_EQ(format_of("a/b.tflite"), "tflite");
  EXPECT_EQ(format_of("a/b"), "kinglet");
  EXPECT_THROW(format_of("a/b.bin"), Error);
}

TEST_F(FlowFiles, CInterfaceGivesTheEnginesAnswer) {
  auto model = deployable(load::open_model(kNet));
  model.labels = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  const auto path = export_model(model, "kinglet", folder_ / "m.kinglet").path;
  kinglet_model* handle = nullptr;
  char error[200] = "";
  ASSERT_EQ(kinglet_open(path.c_str(), nullptr, &handle, error, sizeof error), 0) << error;
  EXPECT_EQ(kinglet_class_count(handle), 10);
  EXPECT_STREQ(kinglet_label(handle, 7), "7");
  EXPECT_EQ(kinglet_label(handle, 10), nullptr);

  const auto image = data::open_dataset("drawn_digits:test", "test")->image(3);
  std::vector<float> scores(10), want(10);
  ASSERT_EQ(kinglet_classify(handle, image.pixels.data(), image.height, image.width, image.channels, scores.data(), error, sizeof error), 0) << error;
  const data::Preprocessor preprocessor(model.input, model.graph.value(model.graph.inputs[0]));
  std::vector<std::byte> input(kinglet_input_bytes(handle));
  preprocessor.run(image, input);
  ASSERT_EQ(kinglet_output_bytes(handle), 40u);
  kinglet_run(handle, input.data(), want.data());
  EXPECT_EQ(scores, want);
  EXPECT_NEAR(std::accumulate(scores.begin(), scores.end(), 0.0), 1.0, 1e-5);
  EXPECT_EQ(kinglet_classify(handle, image.pixels.data(), 0, 5, 3, scores.data(), error, sizeof error), 2);
  kinglet_close(handle);

  kinglet_model* none = nullptr;
  EXPECT_EQ(kinglet_open((folder_ / "none").c_str(), nullptr, &none, error, sizeof error), 3);
  EXPECT_NE(std::string(error).find("no such file"), std::string::npos) << error;
  EXPECT_EQ(kinglet_open(path.c_str(), "litert3", &none, error, 10), 2);
  EXPECT_EQ(std::string(error).size(), 9u);
  EXPECT_EQ(none, nullptr);
}

}  // namespace
}  // namespace kinglet::flow
