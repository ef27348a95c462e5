// Whether a shipped model that was tampered with is noticed, by the check that should, and by no other.
#include "flow/zoo_verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "card/card.h"
#include "data/manifest.h"
#include "flow/deploy.h"
#include "flow/golden.h"
#include "flow/how_to_reproduce.h"
#include "flow/provenance.h"
#include "flow/shipped_model_test_copy.h"
#include "graph/print.h"
#include "graph/serialize.h"
#include "load/open_model.h"
#include "quantize/test_pictures.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

class Verify : public OneModel {
 protected:
  std::string faults(Measure measure = Measure::none) const {
    std::string names;
    for (const auto& check : verify_model(zoo_model("mnist_rep035"), measure))
      if (check.result == Check::Result::failed) names += check.what + ": " + check.detail + "\n";
    return names;
  }
  /// Only `what` fails, and it says `detail`.
  void expect_fault(const std::string& what, const std::string& detail, Measure measure = Measure::none) const {
    const std::string found = faults(measure);
    EXPECT_EQ(found.rfind(what + ": ", 0), 0u) << found;
    EXPECT_NE(found.find(detail), std::string::npos) << found;
    EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
  }
  /// The card as a careful forger would leave it: README.md and card.html follow card.json.
  void forge(const std::function<void(card::CardInput&)>& change) const {
    const Json json = parse_json(read_text_file(file("card.json")), "card.json");
    auto card = card::card_from_json(json, "card.json");
    change(card);
    card::write_card(card, file(""));
  }
};

TEST_F(Verify, NothingIsWrongAsShipped) { EXPECT_EQ(faults(), ""); }

TEST_F(Verify, AChangedByte) {
  auto bytes = read_file(file("mnist_rep035.onnx"));
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file(file("mnist_rep035.onnx"), bytes);
  expect_fault("sum of mnist_rep035.onnx", "SHA-256");
}

TEST_F(Verify, AMissingFile) {
  fs::remove(file("mnist_rep035_float.tflite"));
  expect_fault("sum of mnist_rep035_float.tflite", "the file is missing");
}

TEST_F(Verify, AnotherSize) {
  forge([](auto& card) { card.rows[0].bytes = 99999; });
  expect_fault("sum of mnist_rep035_int8.tflite", "where the card has 99999");
}

TEST_F(Verify, AnotherArena) {
  forge([](auto& card) { card.rows[0].arena_bytes = 1; });
  expect_fault("costs of mnist_rep035_int8.tflite", "bytes of arena where the card has 1");
}

TEST_F(Verify, OtherMacsAndParameters) {
  forge([](auto& card) { card.model.macs = 5; });
  EXPECT_NE(faults().find("costs of mnist_rep035_int8.tflite: 1290560 MACs where the card has 5"), std::string::npos) << faults();
  forge([](auto& card) { card.model.params = 31000; });
  EXPECT_NE(faults().find("parameters where the card has 31000"), std::string::npos) << faults();
}

TEST_F(Verify, LabelsInAnotherOrder) {
  forge([](auto& card) {
    std::reverse(card.model.labels.begin(), card.model.labels.end());
    card.data.info.classes = card.model.labels;
  });
  const std::string found = faults();
  EXPECT_NE(found.find("labels: labels.txt does not hold the card's labels"), std::string::npos) << found;
  EXPECT_NE(found.find("labels and input of mnist_rep035.pth: its labels are not the card's"), std::string::npos) << found;
  forge([](auto& card) { std::reverse(card.model.labels.begin(), card.model.labels.end()); });
  expect_fault("labels", "the card's labels are not its data set's classes");
}

TEST_F(Verify, RubbishInTexts) {
  for (const char* name : {"labels.txt", "recipe.yaml", "card.html", "README.md"}) {
    const std::string kept = read_text_file(file(name));
    write_file(file(name), std::string_view(name == std::string("card.html") ? "" : "rubbish"));
    expect_fault(name == std::string("labels.txt") ? "labels" : name == std::string("recipe.yaml") ? "training" : name, name == std::string("labels.txt") || name == std::string("recipe.yaml") ? name : "kinglet card");
    write_file(file(name), kept);
  }
}

TEST_F(Verify, AFigureThatDoesNotFollowFromItsCounts) {
  auto text = read_text_file(file("card.json"));
  text.replace(text.find("\"top1\": 99.61"), 13, "\"top1\": 99.91");
  write_file(file("card.json"), text);
  expect_fault("card.json", "is not what card.json gives");
}

TEST_F(Verify, AnotherTraining) {
  forge([](auto& card) { card.training->hours = 0.01; });
  expect_fault("training", "not the one that the files tell of");
}

TEST_F(Verify, ACardOfAnotherModelIsRefused) {
  auto text = read_text_file(file("card.json"));
  text.replace(text.find("\"name\": \"mnist_rep035\""), 22, "\"name\": \"mnist_rep053\"");
  write_file(file("card.json"), text);
  EXPECT_THROW(zoo_models(), Error);
}

TEST_F(Verify, GoldenOutputsOfAnotherNetwork) {
  auto bytes = read_file(file("golden_output_int8.bin"));
  bytes[3] ^= std::byte{1};
  write_file(file("golden_output_int8.bin"), bytes);
  expect_fault("golden output of mnist_rep035_int8.tflite", "differs from the golden output");
}

TEST_F(Verify, GoldenOutputsThatAreNoNumbers) {
  auto bytes = read_file(file("golden_output_float32.bin"));
  const float nan = std::nanf("");
  std::memcpy(bytes.data() + 8, &nan, sizeof nan);
  write_file(file("golden_output_float32.bin"), bytes);
  EXPECT_NE(faults().find("golden output of mnist_rep035_float.tflite: differs from the golden output by nan at value 2"), std::string::npos) << faults();
}

TEST_F(Verify, EmptyGoldens) {
  for (const char* name : {"golden_input.bin", "golden_output_int8.bin", "golden_output_float32.bin"}) write_file(file(name), std::string_view());
  const std::string found = faults();
  EXPECT_NE(found.find("golden_input.bin: is not what Kinglet draws"), std::string::npos) << found;
  EXPECT_NE(found.find("golden output of mnist_rep035_int8.tflite: 40 bytes where the golden output has 0"), std::string::npos) << found;
  EXPECT_NE(found.find("golden output of mnist_rep035.onnx: 160 bytes where the golden output has 0"), std::string::npos) << found;
}

TEST_F(Verify, RealDataFiguresThatTheFileDoesNotReach) {
  if (!data::where_found(data::load_manifest("mnist"), "test")) GTEST_SKIP() << "needs the pictures of mnist";
  forge([](auto& card) { ++card.rows[0].accuracy->top1_hits; });
  expect_fault("figures of mnist_rep035_int8.tflite", "right, the card has 9962 of 10000", Measure::int8);
  forge([](auto& card) { --card.rows[0].accuracy->top1_hits, --card.rows[0].accuracy->top5_hits; });
  expect_fault("figures of mnist_rep035_int8.tflite", "among the first five", Measure::int8);
  forge([](auto& card) {
    auto& a = *card.rows[0].accuracy;
    ++a.top5_hits, --a.confusion[0][0], ++a.confusion[0][1];
  });
  expect_fault("figures of mnist_rep035_int8.tflite", "1 pictures elsewhere", Measure::int8);
}

/// Every shipped int8 file, measured in full.
TEST(RealDataZoo, EveryInt8FileReachesItsCard) {
  for (const auto& model : zoo_models())
    for (const auto& check : verify_model(model, Measure::int8)) EXPECT_NE(check.result, Check::Result::failed) << model.name << ": " << check.what << ": " << check.detail;
}

TEST(Golden, PicturesAreTheSameEachTimeAndNotFlat) {
  graph::InputSpec input;
  input.height = 9, input.width = 7, input.channels = 3;
  const auto a = golden_pixels(input, 2);
  EXPECT_EQ(a.size(), 2u * 9 * 7 * 3);
  EXPECT_EQ(a, golden_pixels(input, 2));
  EXPECT_GT(*std::max_element(a.begin(), a.end()) - *std::min_element(a.begin(), a.end()), 60);
}

/// A trained folder as `zoo reproduce` leaves it, and a card that says how its int8 file was made.
class Reproduce : public testing::Test {
 protected:
  Reproduce() {
    model_.name = "tiny";
    trained_ = load::open_model("plain_cnn@8x8x1,3");
    trained_.labels = pictures_->info().classes;
    graph::save(trained_, folder_.path() / "best.kinglet");
  }
  graph::Model int8() const {
    return int8_of_run(model_, folder_.path(), [this](const std::string& name) {
      EXPECT_EQ(name, "noise:train");
      return pictures_;
    });
  }
  data::TempFolder folder_;
  ZooModel model_;
  graph::Model trained_;
  data::DatasetPtr pictures_ = std::make_shared<quantize::TestPictures>(40, 8, 8, 1);
};

TEST_F(Reproduce, QuantizesWithTheCardsOptions) {
  quantize::Options options;
  options.observer = quantize::Observer::minmax, options.calibration_n = 20, options.seed = 5, options.bias_correction = false;
  const auto made = quantize::post_training(trained_, *pictures_, options).model;
  model_.card["quantization"] = made.provenance["quantize"];
  EXPECT_EQ(int8().provenance["quantize"], made.provenance["quantize"]);
  EXPECT_EQ(graph::to_text(int8().graph), graph::to_text(made.graph));
}

TEST_F(Reproduce, TakesTheFileThatWasTrainedWithRounding) {
  auto made = quantize::post_training(trained_, *pictures_).model;
  made.provenance["quantize"] = {{"method", "quantization-aware training"}, {"io", "int8"}};
  model_.card["quantization"] = made.provenance["quantize"];
  EXPECT_THROW(int8(), Error);  // best.kinglet alone does not do
  graph::save(made, folder_.path() / "tiny_int8.kinglet");
  EXPECT_EQ(int8().provenance["quantize"], made.provenance["quantize"]);
}

TEST(HowToReproduce, NamesTheRunsOfOtherSeeds) {
  graph::Model best, int8;
  best.provenance["training"] = {{"recipe", "model: x"}, {"seed", 1}};
  const auto pictures = quantize::TestPictures(40, 8, 8, 1, "test");
  auto quantized = quantize::post_training(load::open_model("plain_cnn@8x8x1,3"), quantize::TestPictures(40, 8, 8, 1)).model;
  quantized.provenance["training"] = best.provenance["training"];
  auto best2 = best, quantized2 = quantized;
  best2.provenance["training"]["seed"] = 2, quantized2.provenance["training"]["seed"] = 2;
  quantized2.provenance["quantize"]["observer"] = "minmax";
  const std::vector<std::string> expected{
      "kinglet train recipe.yaml name=net",
      "kinglet quantize runs/net/best.kinglet --data noise:train --calibration-n 40 -o net_int8.kinglet",
      "kinglet train recipe.yaml name=net_seed2 seed=2",
      "kinglet quantize runs/net_seed2/best.kinglet --data noise:train --observer minmax --calibration-n 40 -o net_seed2_int8.kinglet",
      "kinglet card net_int8.kinglet --with runs/net/best.kinglet --name net --data noise:test --seed-run runs/net_seed2/best.kinglet --seed-run net_seed2_int8.kinglet -o card/"};
  EXPECT_EQ(how_to_reproduce({quantized, best}, {best2, quantized2}, "net", pictures.info()), expected);
  EXPECT_EQ(how_to_reproduce({load::open_model("plain_cnn@8x8x1,3")}, {}, "net", pictures.info()), std::vector<std::string>());
}

}  // namespace
}  // namespace kinglet::flow
