#include "train/start_model.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "formats/onnx/onnx.h"
#include "formats/safetensors/safetensors.h"
#include "formats/tflite/tflite.h"
#include "graph/serialize.h"
#include "ops/builder.h"
#include "passes/pipeline.h"
#include "quantize/quantize.h"
#include "quantize/test_pictures.h"
#include "reference/interpreter.h"
#include "train/fine_tune.h"
#include "train/network.h"
#include "zoo/zoo.h"

namespace kinglet::train {
namespace {

namespace fs = std::filesystem;
using graph::OpKind;

const std::vector<std::string> kThree{"cat", "dog", "owl"};

class Sources : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("kinglet_start_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    model_ = zoo::build("mobilenet_v2@0.1,16x16x3,5,input=imagenet", 3);
    model_.labels = {"a", "b", "c", "d", "e"};
    folded_ = model_;
    passes::fold_for_deployment(folded_.graph);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string written(const std::string& name, std::span<const std::byte> bytes) {
    write_file(folder_ / name, bytes);
    return (folder_ / name).string();
  }
  graph::Model started(const std::string& from) {
    Recipe recipe;
    recipe.from = from;
    said_.clear();
    return start_model(recipe, kThree, [&](const std::string& line) { said_ += line + "\n"; });
  }

  fs::path folder_;
  graph::Model model_, folded_;
  std::string said_;
};

void expect_three_scores(const graph::Model& model) {
  const auto& out = model.graph.value(model.graph.outputs[0]);
  EXPECT_EQ(out.shape.back(), 3);
  Network network(model.graph);
  EXPECT_EQ(network.classes(), 3);
  EXPECT_GT(network.parameters().values.size(), 1000u);
}

TEST_F(Sources, FloatFilesOfEveryFormatKeepTheirTrunkAndContract) {
  graph::save(model_, folder_ / "m.kinglet");
  for (const std::string& file : {(folder_ / "m.kinglet").string(), written("m.tflite", formats::tflite::export_model(folded_)),
                                  written("m.onnx", formats::onnx::export_model(folded_))}) {
    const graph::Model model = started(file);
    SCOPED_TRACE(file);
    expect_three_scores(model);
    EXPECT_EQ(model.input.height, 16);
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(model.input.real_value(100, c), model_.input.real_value(100, c), 1e-5);
    EXPECT_NE(said_.find("new head for 3 classes: cat, dog, owl"), std::string::npos) << said_;
    EXPECT_EQ(model.provenance["parent"]["file"], file);
  }
}

TEST_F(Sources, CheckpointsTakeTheNetworkThatTheRecipeNames) {
  formats::StateDict state = formats::state_of(model_);
  state.metadata.clear();
  const std::string file = written("m.safetensors", formats::safetensors::write_state(state));
  try {
    started(file);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("tensors and no network"), std::string::npos) << error.what();
  }
  const graph::Model model = open_source(file, "mobilenet_v2@0.1,16x16x3,5,input=imagenet", [](const std::string&) {});
  for (int id = 0; id < model.graph.value_count(); ++id) {
    const auto& value = model.graph.value(id);
    if (value.is_constant()) {
      EXPECT_TRUE(*value.constant == *model_.graph.value(id).constant) << value.name;
    }
  }
}

TEST_F(Sources, HeadStaysForTheSameClasses) {
  model_.labels = kThree;
  model_.graph = zoo::build("mobilenet_v2@0.1,16x16x3,3", 3).graph;
  graph::save(model_, folder_ / "m.kinglet");
  const graph::Model same = started((folder_ / "m.kinglet").string());
  EXPECT_EQ(said_, "");
  const auto find = [](const graph::Model& model) {
    for (const auto& value : model.graph.values())
      if (value.name == "classifier.1.weight") return *value.constant;
    return Tensor();
  };
  EXPECT_TRUE(find(same) == find(model_));
  model_.labels = {"x", "y", "z"};
  graph::save(model_, folder_ / "m.kinglet");
  EXPECT_FALSE(find(started((folder_ / "m.kinglet").string())) == find(model_)) << "other classes, as many of them";
}

TEST_F(Sources, AnInt8FileIsDequantizedAndSaysSo) {
  quantize::Options options;
  options.calibration_n = 8;
  options.threads = 1;
  const auto int8 = quantize::post_training(model_, quantize::TestPictures(8, 16, 16, 3), options).model;
  const graph::Model model = started(written("m.tflite", formats::tflite::export_model(int8)));
  EXPECT_NE(said_.find("is quantized: training goes on from its rounded weights"), std::string::npos) << said_;
  expect_three_scores(model);
}

TEST_F(Sources, OtherEndsGetAHead) {
  // A 1x1 convolution, a mean, a reshape and a logistic at the end.
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 4, 4, 3});
  const auto w = builder.constant("w", Tensor(DType::f32, Shape{6, 1, 1, 3})), b = builder.constant("b", Tensor(DType::f32, Shape{6}));
  auto y = builder.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w, b}, "conv");
  y = builder.node(OpKind::Mean, graph::MeanAttrs{{1, 2}, true}, {y}, "mean");
  y = builder.node(OpKind::Reshape, graph::ReshapeAttrs{{6}}, {y}, "reshape");
  builder.output(builder.node(OpKind::Logistic, graph::NoAttrs{}, {y}, "scores"));
  graph::Model model;
  model.graph = builder.finish();
  fit_head(model, 3, 1);
  EXPECT_EQ(model.graph.value(model.graph.outputs[0]).shape, (Shape{1, 3}));
  EXPECT_EQ(model.graph.nodes().back().op, OpKind::Softmax);
  expect_three_scores([&] {
    auto wide = zoo::build("plain_cnn@16x16x3,5", 1);
    fit_head(wide, 3, 1);
    return wide;
  }());
}

TEST_F(Sources, RefusesInWords) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 4, 4, 3});
  builder.output(builder.node(OpKind::Relu, graph::NoAttrs{}, {x}, "y"));
  graph::Model model;
  model.name = "bare";
  model.graph = builder.finish();
  try {
    fit_head(model, 3, 1);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("bare: does not end in"), std::string::npos) << error.what();
  }
  try {
    started("no_such_model");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no such model file"), std::string::npos) << error.what();
  }
}

TEST_F(Sources, RealDataKnownFilesBringTheirContract) {
  const fs::path file = fs::path(KINGLET_SHARED) / "models/mlperf_tiny/resnet8_float.tflite";
  if (!fs::exists(file)) GTEST_SKIP() << "needs shared/models";
  const graph::Model model = started(file.string());
  EXPECT_EQ(model.input.divisor, 1) << "nothing in the file says that it takes bytes as they are";
  EXPECT_EQ(model.input.origins.at("divisor"), graph::Origin::known_file);
  expect_three_scores(model);
}

TEST_F(Sources, ARecipeMayChangeTheContractButNotTheSize) {
  Recipe recipe;
  recipe.model = "mobilenet_v1@0.25,32x32x3,3";
  recipe.input = "resize=crop,crop=0.875";
  const auto quiet = [](const std::string&) {};
  const graph::Model model = start_model(recipe, kThree, quiet);
  EXPECT_EQ(model.input.resize, graph::ResizeMode::crop);
  EXPECT_EQ(model.input.crop_fraction, 0.875);
  EXPECT_EQ(model.input.origins, zoo::build(recipe.model, 1).input.origins) << "it is the network's own contract";
  for (const char* wrong : {"size=16x16", "order=gray", "crop=2", "resize"}) {
    recipe.input = wrong;
    EXPECT_THROW(start_model(recipe, kThree, quiet), Error) << wrong;
  }
}

TEST_F(Sources, HeadAloneIsTheDeployedTrunk) {
  graph::Model head = head_only(model_);
  EXPECT_FALSE(has_batch_norm(head.graph));
  Network network(head.graph);
  EXPECT_EQ(network.parameters().values.size(), 1280u * 5 + 5);
  std::fill(network.parameters().values.begin(), network.parameters().values.end(), 0.5f);
  network.parameters().store(head.graph, network.parameters().values, network.parameters().statistics);
  move_head(head, model_);
  for (const auto& value : model_.graph.values())
    if (value.name.starts_with("classifier.1.")) {
      EXPECT_EQ(value.constant->data<float>()[0], 0.5f) << value.name;
    }
}

TEST_F(Sources, PlansEpochsIntoTheTime) {
  Recipe recipe = fine_tune_recipe({"data=d", "from=m"});
  recipe.threads = 1;
  const EpochPlan plenty = plan_epochs(recipe, model_, 64, 10);
  EXPECT_EQ(recipe.epochs, 40) << "the most";
  EXPECT_EQ(recipe.limit, 0);
  EXPECT_GT(plenty.full_s, 0);
  EXPECT_LT(plenty.minutes, 10);
  const EpochPlan tight = plan_epochs(recipe, model_, 100'000'000, 1);
  EXPECT_EQ(recipe.epochs, 3) << "the fewest";
  EXPECT_GT(recipe.limit, 0);
  EXPECT_LE(tight.minutes, 1.5);
  recipe = fine_tune_recipe({"data=d", "from=m", "freeze_epochs=0"});
  recipe.threads = 1;
  plan_epochs(recipe, model_, 64, 10, {"freeze_epochs=0"});
  EXPECT_EQ(recipe.freeze_epochs, 0) << "as given";
}

TEST_F(Sources, GraphsWithoutBatchNormLearnSlower) {
  Recipe recipe = fine_tune_recipe({"data=d", "from=m"}), chosen = fine_tune_recipe({"data=d", "from=m", "lr=0.5"});
  const double usual = recipe.lr;
  fit_recipe(recipe, model_, {});
  EXPECT_EQ(recipe.lr, usual);
  fit_recipe(recipe, folded_, {});
  EXPECT_LT(recipe.lr, usual);
  fit_recipe(chosen, folded_, {"lr=0.5"});
  EXPECT_EQ(chosen.lr, 0.5);
}

}  // namespace
}  // namespace kinglet::train
