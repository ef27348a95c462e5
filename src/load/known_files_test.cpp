#include "load/known_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "load/open_model.h"

namespace kinglet::load {
namespace {

namespace fs = std::filesystem;
using graph::Origin;

TEST(Contracts, AllParseFitTheirModelsAndCiteSources) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(resource_folder("contracts"))) {
    const std::string where = entry.path().string();
    const Json json = parse_json(read_text_file(entry.path()), where);
    EXPECT_FALSE(json_at<std::vector<std::string>>(json, "sources", where).empty()) << where;
    for (const Json& file : json["files"]) {
      EXPECT_EQ(json_at<std::string>(file, "sha256", where).size(), 64u) << where;
      ++files;
    }
  }
  EXPECT_GE(files, 13);
}

/// A contracts folder with one contract, for the bytes "abc".
class OwnContract : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("kinglet_contracts_" + std::to_string(::getpid()));
    ::setenv("KINGLET_CONTRACTS", folder_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("KINGLET_CONTRACTS");
    fs::remove_all(folder_);
  }
  void write(const std::string& input, const std::string& more = "") {
    write_file(folder_ / "x.json", R"({"title": "X", "files": [{"name": "x.tflite", "sha256": ")" + sha256(bytes()) +
                                       R"(", "bytes": 3}], "input": )" + input + R"(, "dataset": "person_voc", "sources": ["s"])" + more +
                                       "}");
  }
  static std::span<const std::byte> bytes() { return std::as_bytes(std::span("abc", 3)); }
  fs::path folder_;
};

TEST_F(OwnContract, FillsWhatIsWeakAndNothingElse) {
  write(R"({"order": "bgr", "divisor": 1, "resize": "crop"})", R"(, "background_classes": 1)");
  auto known = find_known_file(bytes());
  ASSERT_TRUE(known);
  EXPECT_EQ(known->labels, (std::vector<std::string>{"background", "no_person", "person"}));
  auto model = open_model("resnet8@32x32x3,3");
  set_origins(model.input, Origin::assumed);
  model.input.origins["resize"] = Origin::metadata;
  model.input.origins["divisor"] = Origin::inferred;
  model.labels.clear();
  apply_known_file(*known, model);
  EXPECT_EQ(model.input.order, graph::ColorOrder::bgr);
  EXPECT_EQ(model.input.origins["order"], Origin::known_file);
  EXPECT_EQ(model.input.divisor, 1);
  EXPECT_EQ(model.input.resize, graph::ResizeMode::stretch) << "metadata is stronger";
  EXPECT_EQ(model.input.origins["filter"], Origin::assumed);
  EXPECT_EQ(model.labels, known->labels);
  EXPECT_EQ(model.provenance["known_file"]["dataset"], "person_voc");
  EXPECT_EQ(model.provenance["background_classes"], 1);
  EXPECT_FALSE(find_known_file(bytes().first(2)));
  EXPECT_FALSE(find_known_file(std::as_bytes(std::span("abd", 3))));
}

TEST_F(OwnContract, DamageIsNamed) {
  write(R"({"ordre": "bgr"})");
  auto model = open_model("resnet8@32x32x3,3");
  EXPECT_THROW(apply_known_file(*find_known_file(bytes()), model), Error);
  write("{}", R"(, "tite": 1)");
  EXPECT_THROW(find_known_file(bytes()), Error);
}

TEST(RealDataKnownFiles, GetTheirContract) {
  const fs::path models = fs::path(KINGLET_SHARED) / "models";
  if (!fs::exists(models)) GTEST_SKIP() << "needs shared/models";
  const auto resnet = open_model((models / "mlperf_tiny/resnet8_float.tflite").string());
  EXPECT_EQ(resnet.input.divisor, 1) << "nothing in the float file says that it takes bytes as they are";
  EXPECT_EQ(resnet.input.origins.at("divisor"), Origin::known_file);
  EXPECT_EQ(resnet.labels.at(3), "cat");
  const auto vww = open_model((models / "mlperf_tiny/vww_96_int8.tflite").string());
  EXPECT_EQ(vww.input.divisor, 255);
  EXPECT_EQ(vww.labels, (std::vector<std::string>{"non_person", "person"}));
  const auto imagenet = open_model((models / "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite").string());
  EXPECT_EQ(imagenet.input.resize, graph::ResizeMode::crop);
  EXPECT_DOUBLE_EQ(imagenet.input.crop_fraction, 0.875);
  ASSERT_EQ(imagenet.labels.size(), 1001u);
  EXPECT_EQ(imagenet.labels[0], "background");
  EXPECT_EQ(imagenet.provenance["background_classes"], 1);
}

/// The published uint8 and int8 models whose contract is "the bytes as they are" get exactly those.
TEST(RealDataKnownFiles, FlagIsStronger) {
  const fs::path file = fs::path(KINGLET_SHARED) / "models/mlperf_tiny/resnet8_int8.tflite";
  if (!fs::exists(file)) GTEST_SKIP() << "needs shared/models";
  const auto model = open_model(file.string(), {.input_override = "order=bgr"});
  EXPECT_EQ(model.input.order, graph::ColorOrder::bgr);
  EXPECT_EQ(model.input.origins.at("order"), Origin::flag);
  EXPECT_EQ(model.input.origins.at("divisor"), Origin::known_file);
}

}  // namespace
}  // namespace kinglet::load
