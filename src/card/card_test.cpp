#include "card/card.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "card/sample_test_data.h"

namespace kinglet::card {
namespace {

namespace fs = std::filesystem;

/// Names the first tag that is not closed in order, "" when all are. Our page writes void elements as <x/>.
std::string unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    if (end == std::string::npos) return "no end after " + html.substr(at, 20);
    const std::string tag = html.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find_first_of(" \n"));
    if (tag[0] == '!' || tag.back() == '/') continue;
    if (tag[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != tag.substr(1)) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

YAML::Node front_matter(const std::string& readme) {
  const size_t end = readme.find("\n---\n", 4);
  return YAML::Load(readme.substr(4, end - 4));
}

TEST(Card, FrontMatterIsYamlWithTheHubsKeys) {
  const auto yaml = front_matter(readme_text(sample::card()));
  EXPECT_EQ(yaml["license"].as<std::string>(), "apache-2.0");
  EXPECT_EQ(yaml["pipeline_tag"].as<std::string>(), "image-classification");
  EXPECT_EQ(yaml["datasets"][0].as<std::string>(), "shapes");
  const auto result = yaml["model-index"][0]["results"][0];
  EXPECT_EQ(result["task"]["type"].as<std::string>(), "image-classification");
  EXPECT_EQ(result["dataset"]["split"].as<std::string>(), "test");
  ASSERT_EQ(result["metrics"].size(), 4u);
  EXPECT_EQ(result["metrics"][2]["name"].as<std::string>(), "Top-1, TFLite int8 (%)");
  EXPECT_DOUBLE_EQ(result["metrics"][2]["value"].as<double>(), 94.17);  // 565 of 600
  EXPECT_DOUBLE_EQ(result["metrics"][3]["value"].as<double>(), 99.5);
}

TEST(Card, UnknownLicencesAreOther) {
  auto input = sample::card();
  input.licences.weights = "My: \"own\" terms";
  const auto yaml = front_matter(readme_text(input));
  EXPECT_EQ(yaml["license"].as<std::string>(), "other");
  EXPECT_EQ(yaml["license_name"].as<std::string>(), "My: \"own\" terms");
}

TEST(Card, ReadmeIsAsItWas) { EXPECT_EQ(readme_text(sample::card()), read_text_file(fs::path(KINGLET_SOURCE_DIR) / "src/card/card_test_readme.md")); }

TEST(Card, PageIsWellFormedAndNeedsNothingFromOutside) {
  const std::string html = html_text(sample::card());
  EXPECT_EQ(unbalanced(html), "");
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script", "<link", "<iframe"}) EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("94.17 %"), std::string::npos);
  EXPECT_NE(html.find("A &lt;small&gt; machine"), std::string::npos);
  EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(html.find("class=\"cell\""), std::string::npos);
  EXPECT_NE(html.find("<polyline"), std::string::npos);
}

TEST(Card, UnknownIsLeftOutOrADash) {
  CardInput input = sample::card();
  input.model.macs.reset();
  input.model.train_params.reset();
  input.training.reset();
  input.curve.clear();
  input.rows[1].accuracy.reset();
  input.rows[1].latency.reset();
  const std::string readme = readme_text(input), html = html_text(input);
  EXPECT_NE(readme.find("| TFLite | int8 | - | - | - | - | - | 40,960 | shapes_int8.tflite |"), std::string::npos);
  EXPECT_EQ(readme.find("MACs"), std::string::npos);
  EXPECT_EQ(readme.find("## Training"), std::string::npos);
  EXPECT_EQ(html.find("polyline"), std::string::npos);
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_TRUE(card_json(input)["model"]["macs"].is_null());
  EXPECT_EQ(front_matter(readme)["model-index"][0]["results"][0]["metrics"].size(), 2u);
}

TEST(Card, JsonHoldsEveryFigureWithSortedKeys) {
  const Json card = card_json(sample::card());
  EXPECT_EQ(card["rows"][1]["accuracy"]["n"], 600);
  EXPECT_EQ(card["rows"][1]["accuracy"]["confusion"][5][0], 10);
  EXPECT_EQ(card["rows"][1]["latency"]["median_us"], 64.5);
  EXPECT_EQ(card["model"]["flops"], 2728576);
  EXPECT_EQ(card["curve"][2]["val_top1"], 92.0);
  std::vector<std::string> keys;
  for (const auto& [key, value] : card.items()) keys.push_back(key);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(Card, WritesThreeFilesAndTheSameBytesTwice) {
  const fs::path folder = fs::temp_directory_path() / ("kinglet_card_test_" + std::to_string(::getpid()));
  const auto files = write_card(sample::card(), folder);
  ASSERT_EQ(files.size(), 3u);
  std::vector<std::string> first;
  for (const auto& file : files) first.push_back(read_text_file(file));
  EXPECT_EQ(files[0].filename(), "README.md");
  EXPECT_EQ(files[1].filename(), "card.html");
  EXPECT_EQ(files[2].filename(), "card.json");
  EXPECT_EQ(parse_json(first[2], "card.json"), card_json(sample::card()));
  write_card(sample::card(), folder);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(read_text_file(files[i]), first[i]);
  fs::remove_all(folder);
}

TEST(Card, JsonIsAllThatTheTextsNeed) {
  const CardInput input = sample::card(), again = card_from_json(card_json(input), "card.json");
  EXPECT_EQ(card_json(again), card_json(input));
  EXPECT_EQ(readme_text(again), readme_text(input));
  EXPECT_EQ(html_text(again), html_text(input));
}

TEST(Card, JsonOfOlderVersionsIsRead) {
  Json card = card_json(sample::card());
  for (const char* young : {"seeds", "quantization"}) card.erase(young);
  for (const char* young : {"threads", "machine"}) card["training"].erase(young);
  const CardInput input = card_from_json(card, "card.json");
  EXPECT_TRUE(input.seeds.empty());
  EXPECT_NE(readme_text(input).find("| Time | 0.25 h (wall clock"), std::string::npos);
  card["rows"][1].erase("bytes");
  try {
    card_from_json(card, "card.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("rows[1]"), std::string::npos) << error.what();
  }
}

TEST(Card, SpreadOfSeedsFollowsFromItsRuns) {
  const Json seeds = card_json(sample::card())["seeds"];
  EXPECT_EQ(seeds["runs"][1]["int8"], 93.5);
  EXPECT_TRUE(seeds["runs"][2]["int8"].is_null());
  EXPECT_NEAR(seeds["mean"]["float32"].get<double>(), (94.5 + 94.0 + 95.0) / 3, 1e-12);
  EXPECT_NEAR(seeds["deviation"]["float32"].get<double>(), 0.5, 1e-12);
  EXPECT_NE(readme_text(sample::card()).find("The files of this card are those of seed 7, not of the mean: float32 lies 0.00 points above it, int8 lies 0.33 points above it."), std::string::npos);
}

TEST(Card, NeedsAMeasuredFile) {
  auto input = sample::card();
  input.rows.clear();
  EXPECT_THROW(readme_text(input), Error);
  EXPECT_THROW(html_text(input), Error);
}

}  // namespace
}  // namespace kinglet::card
