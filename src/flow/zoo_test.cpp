// The shelf of shipped models: what its cards say, whether a broken file is noticed, published files over loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "card/lint.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/test_files.h"
#include "eval/accuracy.h"
#include "flow/engine.h"
#include "flow/shipped_model_test_copy.h"
#include "load/open_model.h"
#include "load/published.h"
#include "flow/zoo_models.h"
#include "flow/verify_published.h"
#include "flow/zoo_sheets.h"
#include "flow/zoo_table.h"
#include "flow/zoo_verify.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

TEST(Zoo, EveryShippedModelHasItsFilesSumsAndGoldenOutputs) {
  const auto models = zoo_models();
  ASSERT_GE(models.size(), 2u);
  for (const auto& model : models) {
    EXPECT_FALSE(model.files.empty()) << model.name;
    for (const auto& check : verify_model(model, Measure::none)) EXPECT_EQ(check.result, Check::Result::ok) << model.name << ": " << check.what << ": " << check.detail;
  }
}

TEST(Zoo, EveryCardPassesTheLinter) {
  for (const auto& model : zoo_models())
    for (const auto& f : card::lint(model.card, read_text_file(model.folder / "README.md"))) ADD_FAILURE() << model.name << ": " << f.where << " " << f.what << " (" << f.hint << ")";
}

/// What README has between <!-- name --> and <!-- /name -->.
std::string readme_part(const std::string& name) {
  const auto text = read_text_file(fs::path(KINGLET_SOURCE_DIR) / "README.md");
  const std::string begin = "<!-- " + name + " -->\n", end = "<!-- /" + name + " -->";
  const auto from = text.find(begin), to = text.find(end);
  return from == std::string::npos || to == std::string::npos ? "no " + begin : text.substr(from + begin.size(), to - from - begin.size());
}

/// On a difference: `tools/readme_tables` writes both parts anew.
TEST(Zoo, ReadmeCarriesTheTables) {
  EXPECT_EQ(readme_part("kinglet zoo list"), list_as_markdown(zoo_models()));
  EXPECT_EQ(readme_part("kinglet zoo table"), table_as_markdown(zoo_table()));
}

TEST(Zoo, ANameOpensItsInt8File) {
  const auto model = load::open_model("mnist_rep035");
  EXPECT_EQ(model.graph.value(model.graph.inputs.at(0)).dtype, DType::s8);
  EXPECT_EQ(model.labels.size(), 10u);
  try {
    zoo_model("mnist_rep350");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("mnist_rep035"), std::string::npos) << error.what();
  }
}

TEST_F(OneModel, TableSaysWhatIsThereAndWhatIsNot) {
  int measured = 0, missing = 0;
  for (const auto& row : zoo_table()) {
    if (row.model.name == "seeed_mnist" && row.file.our_backend() == "TFLite") {
      EXPECT_EQ(row.state(), "measured");
      ASSERT_TRUE(row.ours);
      EXPECT_EQ(row.ours->n, 10000);
      ++measured;
    }
    if (row.model.name == "seeed_cifar10") {
      EXPECT_EQ(row.state(), "not there yet");
      ++missing;
    }
  }
  EXPECT_EQ(measured, 2);
  EXPECT_EQ(missing, 4);
}

TEST(Zoo, TheListSaysWhatMayBeCompared) {
  const auto published = load::published_models();
  const auto field = [&](const char* name, const char* key) { return zoo_model_to_json(zoo_model(name), published)[key]; };
  EXPECT_NE(field("gender_rep035", "not_comparable").get<std::string>().find("UTKFace"), std::string::npos);
  EXPECT_TRUE(field("cifar10_rep035", "not_comparable").is_null());
  EXPECT_NE(field("cifar10_resnet8", "published_fault").get<std::string>().find("fault of its evaluation"), std::string::npos);
  EXPECT_FALSE(field("mnist_rep035", "latency_machine").get<std::string>().empty());
  const std::vector<ZooModel> models{zoo_model("cifar10_resnet8"), zoo_model("gender_rep035"), zoo_model("fashion_rep035")};
  const auto rows = list_cells(models);
  EXPECT_NE(rows.at(1).back().find("int8 as published is a fault of its evaluation"), std::string::npos) << rows[1].back();
  EXPECT_EQ(rows.at(2).back().find("not comparable: "), 0u) << rows[2].back();
  EXPECT_EQ(rows.at(3).back(), "-");
  EXPECT_EQ(rows[0], list_cells(models, true)[0]);
}

TEST(Zoo, TheListHasTheMeanOverSeeds) {
  ZooModel model = zoo_model("mnist_rep035");
  model.card["seeds"] = {{"runs", {{{"seed", 1}}, {{"seed", 2}}}}, {"mean", {{"float32", 82.204}, {"int8", 82.156}}}, {"deviation", {{"float32", 0.351}, {"int8", 0.36}}}};
  const auto rows = list_cells({model, zoo_model("cifar10_resnet8")});
  EXPECT_EQ(rows.at(0).at(5), "Mean over seeds, float / int8 (%)");
  EXPECT_EQ(rows.at(1).at(5), "82.20 ± 0.35 / 82.16 ± 0.36 (2)");
  EXPECT_EQ(rows.at(2).at(5), "-");
  EXPECT_EQ(zoo_model_to_json(model, {})["seeds"]["runs"].size(), 2u);
  EXPECT_TRUE(zoo_model_to_json(zoo_model("cifar10_resnet8"), {})["seeds"].is_null());
}

/// One published model whose file lies in a cache: a copy of a shipped one.
class OnePublished : public testing::Test {
 protected:
  OnePublished() : models_("KINGLET_MODELS", (folder_.path() / "models").string()), cache_("XDG_CACHE_HOME", folder_.path().string()) {
    const auto file = fs::path(KINGLET_SOURCE_DIR) / "models/mnist_rep035/mnist_rep035_int8.tflite";
    write_file(path(), read_file(file));
    model_.name = "somebody_mnist", model_.data = "mnist", model_.ours = "mnist_rep035";
    auto& row = model_.files.emplace_back();
    row.backend = "TFLite", row.precision = "INT8", row.url = "https://example.org/net_int8.tflite", row.sha256 = sha256_file(file), row.top1_percent = 99.61;
  }
  fs::path path() const { return folder_.path() / "kinglet/models/somebody_mnist/net_int8.tflite"; }
  std::string results(bool measure) const {
    std::string text;
    for (const auto& check : verify_published(model_, measure)) text += std::string(check.what) + " " + std::to_string(static_cast<int>(check.result)) + "; ";
    return text;
  }
  data::TempFolder folder_;
  data::ScopedEnvironment models_, cache_;
  load::PublishedModel model_;
};

TEST_F(OnePublished, ItsSumIsVerified) {
  EXPECT_EQ(results(false), "sum of net_int8.tflite 0; ");
  auto& vela = model_.files.emplace_back(model_.files[0]);
  vela.url = "https://example.org/net_vela.tflite", vela.sha256 = "", vela.sha1 = std::string(40, 'a'), vela.sha1_of = "net_int8.tflite";
  EXPECT_EQ(results(false), "sum of net_int8.tflite 0; sum of net_vela.tflite 2; ");
  model_.files[0].sha256[0] ^= 1;
  EXPECT_EQ(results(true), "sum of net_int8.tflite 1; sum of net_vela.tflite 2; ");
}

TEST_F(OnePublished, WhatWasNotFetchedSaysHow) {
  fs::remove(path());
  try {
    verify_published(model_, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("kinglet zoo get somebody_mnist"), std::string::npos) << error.what();
  }
}

TEST_F(OnePublished, RealDataItsFigureIsMeasured) {
  if (!data::where_found(data::load_manifest("mnist"), "test")) GTEST_SKIP() << "needs the pictures of mnist";
  EXPECT_EQ(results(true), "sum of net_int8.tflite 0; top-1 of net_int8.tflite 0; ");
  model_.files[0].top1_percent = 75;
  EXPECT_EQ(results(true), "sum of net_int8.tflite 0; top-1 of net_int8.tflite 1; ");
  model_.files[0].measured = load::MeasuredFile{"mnist:test", 10000, 9961};
  EXPECT_EQ(results(true), "sum of net_int8.tflite 0; top-1 of net_int8.tflite 0; ");
  model_.not_comparable = "other pictures";
  EXPECT_EQ(results(true), "sum of net_int8.tflite 0; top-1 of net_int8.tflite 2; ");
}

TEST(Published, CannotBeReproducedButSaysWhatStandsBeside) {
  for (const auto& [name, word] : {std::pair{"nxp_tiny_resnet", "kinglet zoo reproduce cifar10_resnet8"}, {"nxp_mnasnet", "recipes/imagenet_mnasnet_a1_075.yaml"}}) try {
      refuse_to_reproduce(*load::find_published(name));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  try {
    zoo_model("nxp_visual_wake_word");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("did you mean"), std::string::npos) << error.what();
  }
}

TEST(Zoo, RealDataASheetOfMistakes) {
  if (!data::where_found(data::load_manifest("mnist"), "test")) GTEST_SKIP() << "needs the pictures of mnist";
  const data::TempFolder folder;
  std::string why;
  const auto sheet = write_zoo_sheet(zoo_model("mnist_rep035"), folder.path(), why);
  ASSERT_TRUE(sheet) << why;
  EXPECT_EQ(sheet->filename(), "mnist_rep035_mistakes.png");
  EXPECT_EQ(read_text_file(*sheet).substr(1, 3), "PNG");
  auto elsewhere = zoo_model("mnist_rep035");
  elsewhere.dataset = "nowhere";
  EXPECT_FALSE(write_zoo_sheet(elsewhere, folder.path(), why));
  EXPECT_NE(why.find("nowhere are not on this machine"), std::string::npos);
}

TEST(Published, EveryRowIsWhole) {
  int rows = 0;
  for (const auto& model : load::published_models())
    for (const auto& file : model.files) {
      rows += model.in_tables;
      EXPECT_TRUE(file.sha1.empty() || file.sha1.size() == 40) << model.name;
      EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << model.name;
      EXPECT_FALSE(model.code_licence.empty() || model.weights_licence.empty() || model.data_licence.empty()) << model.name;
    }
  for (const auto& model : load::published_models()) {
    EXPECT_GE(model.labels().size(), 2u) << model.name;
    EXPECT_TRUE(model.classes_of != "imagenet" || model.labels().size() == 1000u + static_cast<size_t>(model.background_classes)) << model.name;
    graph::InputSpec input;
    input.channels = model.input.find("gray") == std::string::npos ? 3 : 1;
    EXPECT_NO_THROW(graph::override_input_spec(input, model.input)) << model.name;
    EXPECT_GT(input.height, 0) << model.name;
    EXPECT_FALSE(model.ours.empty() && model.recipe.empty()) << model.name;
  }
  EXPECT_EQ(rows, 31);
  EXPECT_DOUBLE_EQ(*load::published_top1(load::published_models(), "cifar10_rep035", "int8"), 74.56);
  EXPECT_DOUBLE_EQ(*load::published_top1(load::published_models(), "cifar10_rep035", "float32"), 74.76);
  EXPECT_DOUBLE_EQ(*load::published_top1(load::published_models(), "cifar10_rep05", "int8"), 80.27) << "printed on another card than the tables'";
  EXPECT_EQ(zoo_table().size(), 31u);
  EXPECT_FALSE(load::published_top1(load::published_models(), "fashion_rep035", "int8"));
}

std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(read_text_file(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line + ",");
    auto& row = rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

/// All 31 rows as they were printed, column by column.
TEST(RealDataPublished, EqualTheTablesTheyWereTakenFrom) {
  const fs::path csv = fs::path(KINGLET_SHARED) / "spec" / "published.csv";
  if (!fs::exists(csv)) GTEST_SKIP() << "needs " << csv;
  const auto expected = read_csv(csv);
  size_t at = 1;
  auto number = [](const std::string& text) { return text.empty() ? std::optional<double>() : std::stod(text); };
  for (const auto& model : load::published_models())
    for (const auto& f : model.in_tables ? model.files : std::vector<load::PublishedFile>()) {
      const auto& row = expected.at(at++);
      ASSERT_EQ(row.size(), expected[0].size()) << at;
      EXPECT_EQ((std::vector{model.title, model.data_as_printed, model.input_as_printed, f.backend, f.precision}), std::vector(row.begin(), row.begin() + 5));
      EXPECT_EQ(f.top1_percent, number(row[5])) << at;
      EXPECT_EQ(f.top5_percent, number(row[6])) << at;
      EXPECT_EQ((std::vector{f.flops_as_printed, f.params_as_printed_m, f.size_as_printed, f.inference_ms, f.device}), std::vector(row.begin() + 7, row.begin() + 12)) << at;
      if (row[12].rfind("http", 0) == 0) EXPECT_EQ(f.url, row[12]) << at;
      else EXPECT_EQ(f.boards, row[12]) << at;
      EXPECT_EQ(f.sha1, row[13]) << at;
    }
  EXPECT_EQ(at, expected.size());
}

/// What published.json says of the files themselves, and what Kinglet measured with them.
TEST(RealDataPublished, FiguresOfTheFilesThemselves) {
  const fs::path models = fs::path(KINGLET_SHARED) / "models";
  if (!fs::exists(models) || !data::has_manifest("cifar10") || !data::where_found(data::load_manifest("cifar10"), "test")) GTEST_SKIP() << "needs CIFAR-10 and " << models;
  const auto pictures = data::open_dataset("cifar10:test", "test");
  for (const auto& [name, row, path, allowed] : {std::tuple{"seeed_cifar10", 3, "seeed/cifar10_rep035_int8.tflite", 0}, {"nxp_tiny_resnet", 0, "mlperf_tiny/resnet8_float.tflite", 2}, {"nxp_tiny_resnet", 1, "mlperf_tiny/resnet8_int8.tflite", 0}}) {
    const auto file = load::find_published(name)->files.at(static_cast<size_t>(row));
    ASSERT_TRUE(file.measured) << path;
    EXPECT_EQ(fs::file_size(models / path), file.bytes) << path;
    EXPECT_EQ(sha256_file(models / path), file.sha256) << path;
    const auto report = evaluate(load::open_model((models / path).string()), *pictures, ops::Numerics::tflm);
    EXPECT_EQ(report.n, file.measured->n) << path;
    EXPECT_LE(std::abs(report.top1_hits - file.measured->hits), allowed) << path;
  }
}

}  // namespace
}  // namespace kinglet::flow
