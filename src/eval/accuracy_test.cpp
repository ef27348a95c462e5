#include "eval/accuracy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "eval/toy_test_data.h"

namespace kinglet::eval {
namespace {

const std::vector<std::string> kSeven{"a", "b", "c", "d", "e", "f", "g"};

/// Ten pictures of seven classes: 7 right, 3 wrong, one of those below the fifth place. The first is right by the tie rule.
toy::Pictures ten_pictures() {
  std::vector<std::vector<uint8_t>> rows{{9, 9, 0, 0, 0, 0, 0},  {0, 200, 0, 0, 0, 0, 0}, {0, 0, 200, 0, 0, 0, 0}, {0, 0, 0, 200, 0, 0, 0},
                                         {0, 0, 0, 0, 200, 0, 0}, {0, 0, 0, 0, 0, 200, 0}, {0, 0, 0, 0, 0, 0, 200},
                                         {9, 9, 0, 0, 0, 0, 0},   // label 1: second by the tie rule
                                         {255, 0, 7, 0, 0, 0, 0}, // label 2: second
                                         {0, 0, 0, 0, 100, 0, 0}};  // label 6: behind a..d, which tie with it, and e
  return {rows, {0, 1, 2, 3, 4, 5, 6, 1, 2, 6}, kSeven};
}

class AccuracyTest : public ::testing::TestWithParam<DType> {};

TEST_P(AccuracyTest, CountsAreThoseCountedByHand) {
  const auto model = toy::pixel_model(7, GetParam());
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 3);
  const auto pictures = ten_pictures();
  const EvalReport report = evaluate(*engine, model, pictures);
  EXPECT_EQ(report.n, 10);
  EXPECT_DOUBLE_EQ(report.top1_percent(), 70.0);
  EXPECT_DOUBLE_EQ(report.top5_percent().value(), 90.0);
  EXPECT_NEAR(report.top1_ci95_percent().low, 39.6778, 1e-3);  // Wilson's interval of 7 in 10
  EXPECT_NEAR(report.top1_ci95_percent().high, 89.2209, 1e-3);
  EXPECT_EQ(report.confusion[1][0], 1);
  EXPECT_EQ(report.confusion[2][0], 1);
  EXPECT_EQ(report.confusion[6][4], 1);
  EXPECT_EQ(report.predictions, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 0, 0, 4}));
  EXPECT_GT(report.images_per_s, 0.0);
  EXPECT_EQ(report.threads, 3);
  EXPECT_TRUE(report.warnings.empty());
}

TEST_P(AccuracyTest, ClassFiguresAndMistakes) {
  const auto model = toy::pixel_model(7, GetParam());
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  EvalOptions options;
  options.mistakes = 2;
  const auto pictures = ten_pictures();
  const EvalReport report = evaluate(*engine, model, pictures, options);
  const auto figures = report.class_figures();
  EXPECT_DOUBLE_EQ(figures[0].recall_percent().value(), 100.0);
  EXPECT_NEAR(figures[0].precision_percent().value(), 100.0 / 3, 1e-9);
  EXPECT_DOUBLE_EQ(figures[6].recall_percent().value(), 50.0);
  ASSERT_EQ(report.mistakes.size(), 2u);
  EXPECT_EQ(report.mistakes[0].id, "toy[8]");
  EXPECT_EQ(report.mistakes[0].label, 2);
  EXPECT_EQ(report.mistakes[0].predicted, 0);
  EXPECT_NEAR(report.mistakes[0].score, 1.0, 1e-6);
  EXPECT_EQ(report.mistakes[1].id, "toy[9]");
  EXPECT_NEAR(report.mistakes[1].score, 100.0 / 255.0, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Types, AccuracyTest, ::testing::Values(DType::f32, DType::s8, DType::u8),
                         [](const auto& type) { return std::string(dtype_name(type.param)); });

TEST(Accuracy, KeepsOutputsInPictureOrder) {
  const auto model = toy::pixel_model(3, DType::s8);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  const toy::Pictures pictures({{0, 128, 255}, {1, 2, 3}}, {2, 2}, {"a", "b", "c"});
  EvalOptions options;
  options.keep_outputs = true;
  const auto outputs = evaluate(*engine, model, pictures, options).outputs;
  const std::vector<int> expected{-128, 0, 127, -127, -126, -125};
  ASSERT_EQ(outputs.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(static_cast<int8_t>(outputs[i]), expected[i]);
}

TEST(Accuracy, TopFiveSaysNothingUpToFiveClasses) {
  const auto model = toy::pixel_model(3, DType::f32);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{0, 0, 9}}, {0}, {"a", "b", "c"});
  const auto report = evaluate(*engine, model, pictures);
  EXPECT_FALSE(report.top5_percent().has_value());
  EXPECT_TRUE(eval_report_to_json(report)["top5"].is_null());
}

TEST(Accuracy, RefusesAnotherNumberOfClassesInWords) {
  auto model = toy::pixel_model(4, DType::f32);
  model.labels = {"a", "b", "c", "d"};
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{0, 0, 9, 1}}, {2}, {"a", "b", "c"});
  try {
    evaluate(*engine, model, pictures);
    FAIL() << "four outputs were taken for three classes";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "pixels: has 4 outputs, but toy has 3 classes; if its output 0 stands for background, use a class offset of 1");
  }
  EvalOptions options;
  options.class_offset = 1;
  const auto report = evaluate(*engine, model, pictures, options);
  EXPECT_EQ(report.predictions[0], 1);
  EXPECT_EQ(report.confusion[2][1], 1);
}

TEST(Accuracy, OneOutputMoreThanClassesIsBackgroundUnlessLabelsSayOtherwise) {
  auto model = toy::pixel_model(4, DType::f32);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{0, 0, 9, 1}}, {1}, {"a", "b", "c"});
  model.labels.clear();
  EXPECT_EQ(evaluate(*engine, model, pictures).predictions[0], 1);
  model.labels = {"Background", "a", "b", "c"};
  EXPECT_EQ(evaluate(*engine, model, pictures).predictions[0], 1);
  EvalOptions options;
  options.class_offset = 0;
  EXPECT_THROW(evaluate(*engine, model, pictures, options), Error);
}

// A network that ends in ARG_MAX gives one number; there is no second best to rank.
TEST(Accuracy, ReadsAClassIndex) {
  for (const bool wide : {false, true}) {
    auto model = toy::pixel_model(8, DType::f32);
    auto& graph = model.graph;
    graph::Value value;
    value.name = "index";
    value.dtype = wide ? DType::s64 : DType::s32;
    value.shape = Shape{1};
    graph::Node node;
    node.op = graph::OpKind::ArgMax;
    node.attrs = graph::ArgMaxAttrs{graph.value(graph.outputs[0]).shape.rank() - 1, wide};
    node.inputs = {graph.outputs[0]};
    node.outputs = {graph.add_value(value)};
    ASSERT_EQ(graph.value(graph.outputs[0]).shape.elements(), graph.value(graph.outputs[0]).shape.back());
    graph.outputs = node.outputs;
    graph.add_node(std::move(node));
    for (const auto& engine : {reference_engine(model.graph, ops::Numerics::tflm, 1), session_engine(model.graph, plan::portable_target(), 1)}) {
      const toy::Pictures pictures({{0, 0, 9, 1, 0, 0, 0, 0}, {7, 0, 9, 1, 0, 0, 0, 0}}, {2, 0}, {"a", "b", "c", "d", "e", "f", "g", "h"});
      const auto report = evaluate(*engine, model, pictures);
      EXPECT_EQ(report.predictions, (std::vector<int>{2, 2}));
      EXPECT_EQ(report.top1_hits, 1);
      EXPECT_FALSE(report.top5_percent().has_value());
    }
  }
}

TEST(Accuracy, BackgroundIsAMistakeInNoColumn) {
  const auto model = toy::pixel_model(4, DType::f32);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{99, 0, 9, 1}, {0, 0, 9, 1}}, {1, 1}, {"a", "b", "c"});
  EvalOptions options;
  options.class_offset = 1;
  const auto report = evaluate(*engine, model, pictures, options);
  EXPECT_EQ(report.predictions, (std::vector<int>{-1, 1}));
  EXPECT_DOUBLE_EQ(report.class_figures()[1].recall_percent().value(), 50.0);
  EXPECT_EQ(report.mistakes[0].predicted, -1);
}

TEST(Accuracy, RefusesLabelsOutsideTheClassesAndOutputsThatAreNoNumbers) {
  auto model = toy::pixel_model(3, DType::f32);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  const toy::Pictures outside({{0, 0, 9}}, {3}, {"a", "b", "c"});
  EXPECT_THROW(evaluate(*engine, model, outside), Error);
  model.input.mean = {std::nan("")};
  model.input.stddev = {1.0};
  const toy::Pictures pictures({{0, 0, 9}}, {2}, {"a", "b", "c"});
  EXPECT_THROW(evaluate(*engine, model, pictures), Error);
  const toy::Pictures none({}, {}, {"a", "b", "c"});
  EXPECT_THROW(evaluate(*engine, model, none), Error);
}

TEST(Accuracy, WarnsOfWeakContractsAndForeignLabels) {
  auto model = toy::pixel_model(3, DType::f32);
  model.input.origins["divisor"] = graph::Origin::assumed;
  model.labels = {"b", "a", "c"};
  toy::Pictures pictures({{0, 0, 9}}, {2}, {"A", "B", "C"});
  pictures.mutable_info().classes_sorted = true;
  const auto warnings = contract_warnings(model, pictures.info(), 0);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_NE(warnings[0].find("divisor"), std::string::npos);
  EXPECT_NE(warnings[1].find("class 0 is 'b' to the model and 'A' in the data"), std::string::npos);
  model.labels = {"a", "b", "c"};
  EXPECT_EQ(contract_warnings(model, pictures.info(), 0).size(), 2u);
}

TEST(Accuracy, ReportSurvivesJson) {
  const auto model = toy::pixel_model(7, DType::s8);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  const auto pictures = ten_pictures();
  const Json json = eval_report_to_json(evaluate(*engine, model, pictures));
  EXPECT_EQ(json["n"], 10);
  EXPECT_EQ(json["top1"], 70.0);
  EXPECT_EQ(json["top5"], 90.0);
  EXPECT_EQ(json["top1_ci95"].size(), 2u);
  EXPECT_EQ(json["confusion"].size(), 7u);
  EXPECT_EQ(eval_report_to_json(eval_report_from_json(json, "report")), json);
  Json damaged = json;
  damaged["confusion"][0].erase(0);
  EXPECT_THROW(eval_report_from_json(damaged, "report"), Error);
  damaged.erase("n");
  EXPECT_THROW(eval_report_from_json(damaged, "report"), Error);
}

TEST(Accuracy, ProgressEndsAtTheLastPicture) {
  const auto model = toy::pixel_model(3, DType::f32);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  const toy::Pictures pictures(std::vector<std::vector<uint8_t>>(200, {0, 0, 9}), std::vector<int>(200, 2), {"a", "b", "c"});
  std::vector<int64_t> seen;
  EvalOptions options;
  options.progress = [&](const Progress& p) { seen.push_back(p.done); };
  options.limit = 150;
  EXPECT_EQ(evaluate(*engine, model, pictures, options).n, 150);
  EXPECT_EQ(seen, (std::vector<int64_t>{64, 128, 150}));
}

TEST(Engine, RawPicturesRunInOrder) {
  const auto model = toy::pixel_model(2, DType::u8);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 2);
  const std::vector<std::byte> pictures{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  EXPECT_EQ(run_raw(*engine, pictures, "raw"), pictures);
  EXPECT_THROW(run_raw(*engine, std::span(pictures).first(3), "raw"), Error);
  EXPECT_THROW(run_raw(*engine, {}, "raw"), Error);
}

TEST(Engine, ScoresNeedAScale) {
  graph::Value value;
  value.name = "scores";
  value.dtype = DType::s8;
  std::vector<float> scores(1);
  const std::byte byte{0x81};  // -127
  EXPECT_THROW(read_scores(value, {&byte, 1}, scores), Error);
  value.quant = graph::QuantParams::per_tensor(0.5f, 3);
  read_scores(value, {&byte, 1}, scores);
  EXPECT_EQ(scores[0], -65.0f);
  value.dtype = DType::u8;
  read_scores(value, {&byte, 1}, scores);
  EXPECT_EQ(scores[0], 63.0f);
  value.dtype = DType::s32;
  EXPECT_THROW(read_scores(value, {&byte, 1}, scores), Error);
}

}  // namespace
}  // namespace kinglet::eval
