#include "card/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "card/sample_test_data.h"

namespace kinglet::card {
namespace {

bool names(const std::vector<Finding>& findings, const std::string& where, const std::string& what) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.where.find(where) != std::string::npos && f.what.find(what) != std::string::npos; });
}

TEST(Lint, OurOwnCardIsClean) {
  const auto input = sample::card();
  for (const auto& finding : lint(card_json(input), readme_text(input))) ADD_FAILURE() << finding.where << ": " << finding.what;
}

struct Fault {
  const char* name;
  std::function<void(Json&)> make;
  const char *where, *what;
};

class LintFault : public ::testing::TestWithParam<Fault> {};

TEST_P(LintFault, IsFoundAndNothingElseIsBlamed) {
  Json card = card_json(sample::card());
  GetParam().make(card);
  const auto findings = lint_json(card);
  EXPECT_TRUE(names(findings, GetParam().where, GetParam().what));
  EXPECT_EQ(findings.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Known, LintFault, ::testing::Values(
    Fault{"FlopsAreMacs", [](Json& c) { c["model"]["flops"] = c["model"]["macs"]; }, "model.flops", "not 2 x"},
    Fault{"ClassesOfPersonUnderGender", [](Json& c) { c["model"]["labels"] = {"not a person", "person"}; }, "model.labels", "not the data set's classes"},
    Fault{"ParametersInMegabytes", [](Json& c) { c["model"]["params"] = 2.71; }, "model.params", "no count"},
    Fault{"Top5BelowTop1", [](Json& c) { c["rows"][0]["accuracy"]["top5"] = 12.5; }, "rows[0].accuracy.top5", "below Top-1"},
    Fault{"NoN", [](Json& c) { c["rows"][1]["accuracy"].erase("n"); }, "rows[1].accuracy.n", "missing"},
    Fault{"ForeignInterval", [](Json& c) { c["rows"][1]["accuracy"]["top1_ci95"] = {94.0, 94.4}; }, "top1_ci95", "Wilson"},
    Fault{"ForeignConfusion", [](Json& c) { c["rows"][1]["accuracy"]["confusion"][0][0] = 1; }, "confusion", "diagonal"},
    Fault{"NoWeightsLicence", [](Json& c) { c["licences"]["weights"] = ""; }, "licences.weights", "not named"},
    Fault{"ShortSum", [](Json& c) { c["rows"][0]["sha256"] = "abc"; }, "rows[0].sha256", "SHA-256"},
    Fault{"FileTooSmall", [](Json& c) { c["rows"][0]["bytes"] = 4096; }, "rows[0].bytes", "too few"},
    Fault{"TimeWithoutMachine", [](Json& c) { c["rows"][1]["latency"]["machine"] = ""; }, "latency.machine", "missing"},
    Fault{"OneTimeForAll", [](Json& c) { c["rows"][0]["latency"] = c["rows"][1]["latency"]; }, "rows", "share the same median"},
    Fault{"ChosenOnTest", [](Json& c) { c["training"]["weights_chosen_by"] = "best top-1 on test"; }, "weights_chosen_by", "test"},
    Fault{"PublishedNowhere", [](Json& c) { c["published"][0]["source"] = ""; }, "published[0]", "no source"},
    Fault{"NotMeasured", [](Json& c) { c["rows"][0]["accuracy"] = nullptr; }, "rows[0].accuracy", "not measured"}),
                         [](const auto& fault) { return std::string(fault.param.name); });

TEST(Lint, FaultsOfPublishedTextsAreFound) {
  const auto findings = lint_readme(
      "| Backend | Precision | Top-1(%) | Top-5(%) | FLOPs(M) | Inference |\n| --- | --- | --- | --- | --- | --- |\n"
      "| TFLite | INT8 | 98.98 | 74.56 | 0.21 | 22 |\n| Vela | INT8 | TODO | 98.29 | ~0.21 | 22 |\n");
  EXPECT_TRUE(names(findings, "README.md:3", "Top-5 74.56 is below Top-1 98.98"));
  EXPECT_TRUE(names(findings, "README.md:3", "'Inference' has numbers and no unit"));
  EXPECT_TRUE(names(findings, "README.md:4", "'TODO' under 'Top-1(%)'"));
  EXPECT_TRUE(names(findings, "README.md:4", "'~0.21'"));
  EXPECT_TRUE(names(findings, "README.md", "FLOPs are printed"));
  EXPECT_TRUE(names(findings, "README.md", "without the number of pictures"));
  EXPECT_TRUE(names(findings, "README.md", "licence of the weights"));
  EXPECT_EQ(findings.size(), 9u);
}

TEST(Lint, TextAndJsonMustAgree) {
  auto input = sample::card();
  const std::string readme = readme_text(input);
  input.rows[0].accuracy = sample::accuracy(94);
  const auto findings = lint(card_json(input), readme);
  EXPECT_TRUE(names(findings, "README.md", "does not print Top-1 94.83 of shapes_float.tflite"));
  EXPECT_EQ(findings.size(), 1u);
}

TEST(Lint, StrangeJsonIsAFindingAndNoCrash) {
  EXPECT_EQ(lint_json(Json(3)).size(), 1u);
  EXPECT_FALSE(lint_json(Json::object()).empty());
  EXPECT_FALSE(lint(Json{{"rows", {1, "x", nullptr}}, {"model", 4}}, "").empty());
}

}  // namespace
}  // namespace kinglet::card
