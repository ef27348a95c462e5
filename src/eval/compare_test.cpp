#include "eval/compare.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "eval/toy_test_data.h"

namespace kinglet::eval {
namespace {

/// The pixel model with its contract seeing every picture inverted: 1 - x/255, so dark pixels win.
graph::Model inverted_model(int classes) {
  auto model = toy::pixel_model(classes, DType::f32);
  model.input.mean = {1.0};
  model.input.stddev = {-1.0};
  return model;
}

TEST(Compare, CountsAgreementAndFlips) {
  const auto bright = toy::pixel_model(2, DType::f32);
  const auto dark = inverted_model(2);
  const auto a = reference_engine(bright.graph, ops::Numerics::tflm, 2), b = reference_engine(dark.graph, ops::Numerics::tflm, 2);
  // A tie goes to class 0 in both; the other six differ: a is right in all six, b in none.
  std::vector<std::vector<uint8_t>> rows(6, {10, 20});
  rows.push_back({5, 5});
  const toy::Pictures pictures(rows, {1, 1, 1, 1, 1, 1, 0}, {"first", "second"});
  const auto report = compare({*a, bright}, {*b, dark}, pictures);
  EXPECT_EQ(report.n, 7);
  EXPECT_EQ(report.agree, 1);
  EXPECT_DOUBLE_EQ(report.a_top1, 100.0);
  EXPECT_NEAR(report.b_top1, 100.0 / 7, 1e-9);
  EXPECT_EQ(report.only_a_right, 6);
  EXPECT_EQ(report.only_b_right, 0);
  EXPECT_NEAR(report.p_value, 2.0 / 64.0, 1e-12);
  ASSERT_EQ(report.flips.size(), 6u);
  EXPECT_EQ(report.flips[0].id, "toy[0]");
  EXPECT_EQ(report.flips[0].label, 1);
  EXPECT_EQ(report.flips[0].a, 1);
  EXPECT_EQ(report.flips[0].b, 0);
}

TEST(Compare, AModelAgreesWithItself) {
  const auto model = toy::pixel_model(2, DType::s8);
  const auto engine = reference_engine(model.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{1, 2}, {2, 1}}, {0, 0}, {"first", "second"});
  const auto report = compare({*engine, model}, {*engine, model}, pictures);
  EXPECT_EQ(report.agree, 2);
  EXPECT_EQ(report.p_value, 1.0);
  EXPECT_TRUE(report.flips.empty());
}

TEST(Compare, ReportSurvivesJsonAndRefusesUnequalData) {
  const auto bright = toy::pixel_model(2, DType::f32);
  const auto dark = inverted_model(2);
  const auto a = reference_engine(bright.graph, ops::Numerics::tflm, 1), b = reference_engine(dark.graph, ops::Numerics::tflm, 1);
  const toy::Pictures pictures({{1, 2}, {2, 1}}, {0, 0}, {"first", "second"});
  const Json json = compare_report_to_json(compare({*a, bright}, {*b, dark}, pictures));
  for (const char* key : {"n", "agree", "a_top1", "b_top1", "p_value", "flips"}) EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(compare_report_to_json(compare_report_from_json(json, "report")), json);
  EvalOptions one;
  one.limit = 1;
  EXPECT_THROW(compare_reports(evaluate(*a, bright, pictures), evaluate(*b, dark, pictures, one), pictures), Error);
}

}  // namespace
}  // namespace kinglet::eval
