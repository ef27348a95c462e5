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
    Fault{"Top1OfOtherHits", [](Json& c) { c["rows"][1]["accuracy"]["top1_hits"] = 566; }, "rows[1].accuracy.top1", "is not 566 of 600"},
    Fault{"Top5OfOtherHits", [](Json& c) { c["rows"][1]["accuracy"]["top5"] = 99.99; }, "rows[1].accuracy.top5", "is not 597 of 600"},
    Fault{"HoursWithoutThreads", [](Json& c) { c["training"].erase("threads"); }, "training.threads", "missing"},
    Fault{"MeanOfOtherSeeds", [](Json& c) { c["seeds"]["mean"]["float32"] = 94.6; }, "seeds.mean.float32", "does not follow"},
    Fault{"DeviationOfOtherSeeds", [](Json& c) { c["seeds"]["deviation"]["int8"] = 0.1; }, "seeds.deviation.int8", "does not follow"},
    Fault{"MeanShownAsShipped", [](Json& c) { c["rows"][1]["precision"] = "float32"; c["seeds"]["runs"][0]["int8"] = nullptr; c["rows"][0]["backend"] = "ONNX"; c["rows"][1]["bytes"] = 131073; }, "seeds.runs[0].float32", "is not the Top-1"},
    Fault{"SeedThatNoCommandTrains", [](Json& c) { c["reproduce"] = {"kinglet train shapes.yaml", "kinglet train shapes.yaml seed=8"}; }, "seeds.runs[2]", "by no command"},
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
  EXPECT_TRUE(names(findings, "README.md:3", "the same time, '22', on 2 rows"));
  EXPECT_EQ(findings.size(), 10u);
}

/// All three licences, n and what FLOPs are, so that a test sees only its own fault.
const std::string kStated = "\n| Part | Licence |\n| --- | --- |\n| Code | MIT |\n| Weights | MIT |\n| Data | none stated |\n\nFLOPs = 2 x MACs, over 10,000 pictures of the split test.\n";

struct PublishedFault {
  const char *name, *text;
  std::vector<const char*> whats;  ///< exactly these
};

class LintPublished : public ::testing::TestWithParam<PublishedFault> {};

/// The published figures as facts, in tables of our own, each with the faults that are known of them.
TEST_P(LintPublished, KnownFaultsAreFoundAndNothingElse) {
  const auto findings = lint_readme(GetParam().text + kStated);
  for (const char* what : GetParam().whats) EXPECT_TRUE(names(findings, "README.md", what)) << what;
  EXPECT_EQ(findings.size(), GetParam().whats.size());
  if (HasFailure())
    for (const auto& f : findings) ADD_FAILURE() << f.where << ": " << f.what << " (" << f.hint << ")";
}

INSTANTIATE_TEST_SUITE_P(Known, LintPublished, ::testing::Values(
    PublishedFault{"Cifar10OneTimeForAllFiles",
                   "# MobileNetV2 0.35 Rep on CIFAR-10, 32x32x3\n\n| Backend | Precision | Top-1(%) | Top-5(%) | Inference(ms) |\n|---|---|---|---|---|\n"
                   "| PyTorch | FLOAT32 | 74.76 | 98.26 | 22 |\n| ONNX | FLOAT32 | 74.76 | 98.26 | 22 |\n| TFLite | FLOAT32 | 74.76 | 98.26 | 22 |\n| TFLite | INT8 | 74.56 | 98.29 | 22 |\n",
                   {"the same time, '22', on 4 rows of different backends or precisions"}},
    PublishedFault{"Cifar10OneTimeForTwoDevices",
                   "# CIFAR-10\n\n| Backend | Precision | Top-1(%) | Inference(ms) | Device |\n|---|---|---|---|---|\n| TFLite | INT8 | 74.56 | 22 | grove_vision_ai and sensecap_a1101 |\n",
                   {"one time, '22', for several devices"}},
    PublishedFault{"Cifar10CountsOfAnOlderDesign",
                   "# MobileNetV2 0.35 Rep on CIFAR-10\n\nInput 32x32x3.\n\n| Backend | Precision | Top-1(%) | FLOPs(M) | Params(M) |\n|---|---|---|---|---|\n| TFLite | INT8 | 74.56 | 0.21 | 0.021 |\n",
                   {"'0.021' under 'Params(M)' is no whole count", "'0.021' under 'Params(M)': the named network, width 0.35 with 3 stages at 32x32, has 30874 parameters",
                    "'0.21' under 'FLOPs(M)': the named network, width 0.35 with 3 stages at 32x32, has 1364288 MACs"}},
    PublishedFault{"GenderFlopsAreMacsAndParametersMegabytes",
                   "# Gender: mobilenetv2_0.35_rep, 64x64\n\n| Backend | Precision | Top-1(%) | FLOPs(M) | Params(M) |\n|---|---|---|---|---|\n| PyTorch | FLOAT32 | 94.50 | 5.49 | 2.16 |\n",
                   {"'2.16' under 'Params(M)' is no whole count", "has 30610 parameters", "'5.49' under 'FLOPs(M)' are the network's MACs (5455936)"}},
    PublishedFault{"GenderParametersAreTheFilesMegabytes",
                   "# Gender\n\n| Backend | Precision | Top-1(%) | Params(M) | File size(MB) |\n|---|---|---|---|---|\n| PyTorch | FLOAT32 | 94.50 | 2.16 | 2.16 |\n",
                   {"'2.16' under 'Params(M)' is no whole count", "is the file's size in megabytes"}},
    PublishedFault{"ClassesOfPersonUnderGender", "# Gender classification\n\nClasses: not a person, person\n", {"the classes 'not a person, ...' are not those of gender"}},
    PublishedFault{"ClassesOfPersonUnderGenderInARow", "# Classifier\n\nDataset: Gender of faces\n\n| Property | Content |\n|---|---|\n| Labels | \"not a person\", \"person\" |\n", {"are not those of gender"}},
    PublishedFault{"PersonTitledAnotherWidth",
                   "# Person: MobileNetV2 0.35 Rep\n\n| Backend | Precision | Input | Top-1(%) | FLOPs(MB) | Params(M) |\n|---|---|---|---|---|---|\n| PyTorch | FLOAT32 | 64x64x3 | 85.22 | 34 | 2.71 |\n",
                   {"'34' under 'FLOPs(MB)' counts operations in bytes", "'34' under 'FLOPs(MB)': the named network, width 0.35 with 3 stages at 64x64, has 5455936 MACs", "'2.71' under 'Params(M)' is no whole count",
                    "'2.71' under 'Params(M)': the named network, width 0.35 with 3 stages at 64x64, has 30610 parameters"}},
    PublishedFault{"PersonOneSumForTwoFiles",
                   "# Person\n\n| Backend | Link |\n|---|---|\n| TFLite | https://example.org/p_a939407d507b45ceca293e74c8961d59357b37b2.tflite |\n"
                   "| Vela | https://example.org/p_a939407d507b45ceca293e74c8961d59357b37b2_vela.tflite |\n",
                   {"2 files are named with the same sum a939407d"}},
    PublishedFault{"EpochsOfNameAndRecipe", "# Person\n\nTrained with rep_1xb32_300e_vww.py for 100 epochs.\n", {"named for 300 epochs, the text says 100"}},
    PublishedFault{"AccuracyWithoutPipesIsATodo", "# Deepface-emotion\n\nPrecision | Accuracy (%)\n--- | ---\nFP32 | 57\nINT8 | TODO\n", {"'TODO' under 'Accuracy (%)'"}},
    PublishedFault{"DeepfaceMegabytes",
                   "# Deepface-emotion\n\nInformation | Value\n--- | ---\nParameters | 1.49 M\nFile size (FP32) | 5.8 MB\nFile size (INT8) | 1.5 MB\n",
                   {"'1.49 M' under 'Parameters' is no whole count", "'5.8 MB' cannot hold 1.49 M parameters of 4 bytes"}},
    PublishedFault{"TinyResNetFractionsAndAFaultOfItsEvaluation",
                   "# Tiny ResNet\n\nDataset | FP32 Accuracy | INT8 Accuracy\n--- | --- | ---\nCIFAR-10 | 0.87 | 0.75\n",
                   {"column 'FP32 Accuracy' has numbers and no unit", "column 'INT8 Accuracy' has numbers and no unit", "'0.87' under 'FP32 Accuracy' is a fraction", "'0.75' under 'INT8 Accuracy' is a fraction",
                    "int8 lies 12.0 points below float32"}},
    PublishedFault{"MnasnetOnOtherPictures", "# MNasNet\n\nTrained on ImageNet, input 224x224.\n\n| Precision | Accuracy (%) |\n|---|---|\n| FP32 | 77 |\n", {"'77' under 'Accuracy (%)' is not what ILSVRC's validation pictures give"}},
    PublishedFault{"MobileNetV2WithAWrongRange", "# Mobilenet V2\n\nTrained on ImageNet, input 224x224.\n\n| Precision | Accuracy (%) |\n|---|---|\n| FP32 | 66 |\n| INT8 | 64 |\n",
                   {"'66' under 'Accuracy (%)' is not what", "'64' under 'Accuracy (%)' is not what"}},
    PublishedFault{"ArmOnILSVRCIsSound", "# MobileNet v2 1.0 224 INT8\n\n| Precision | Top-1 accuracy (ILSVRC 2012, %) |\n|---|---|\n| INT8 | 69.7 |\n", {}}),
                         [](const auto& fault) { return std::string(fault.param.name); });

TEST(Lint, WhatIsNotStatedOnPublishedCards) {
  const auto findings = lint_readme("# MobileNet V1\n\nInformation | Value\n--- | ---\nOPS | 28M\nAccuracy (FP32) | 41 %\n");
  EXPECT_TRUE(names(findings, "README.md", "FLOPs are printed without saying what is counted"));
  EXPECT_TRUE(names(findings, "README.md", "accuracy is printed without the number of pictures"));
  for (const char* of : {"code", "weights", "data"}) EXPECT_TRUE(names(findings, "README.md", std::string("the licence of the ") + of));
  EXPECT_EQ(findings.size(), 5u);
}

TEST(Lint, TextAndJsonMustAgree) {
  auto input = sample::card();
  const std::string readme = readme_text(input);
  input.rows[0].accuracy = sample::accuracy(94);
  input.seeds.clear();
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
