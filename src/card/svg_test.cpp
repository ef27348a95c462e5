#include "card/svg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

namespace kinglet::card {
namespace {

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

TEST(Svg, TicksAreRoundAndCoverTheRange) {
  EXPECT_EQ(round_ticks(0, 100, 5), (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(round_ticks(3, 9.5, 4), (std::vector<double>{2, 4, 6, 8, 10}));
  const auto flat = round_ticks(7, 7, 5);
  EXPECT_LT(flat.front(), 7);
  EXPECT_GT(flat.back(), 7);
}

TEST(Svg, NumbersAreShort) {
  EXPECT_EQ(short_number(74.28, 2), "74.28");
  EXPECT_EQ(short_number(12.0, 3), "12");
  EXPECT_EQ(short_number(-0.0001, 2), "0");
  EXPECT_EQ(short_number(100, 0), "100");
}

TEST(Svg, LinesRunFromTheFirstPointToTheLast) {
  const auto svg = line_chart({{"a & b", {{0, 0}, {1, std::nan("")}, {2, 10}}}}, {"x", "y", 0.0, 10.0, 200, 100});
  EXPECT_NE(svg.find("points=\"52,58 184,26\""), std::string::npos) << svg;  // left 52, right 16, top 26, bottom 42
  EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Svg, OnePointIsADotAndNoPointIsNoLine) {
  EXPECT_EQ(count(line_chart({{"a", {{1, 2}}}}, {"x", "y", {}, {}}), "<circle"), 1);
  EXPECT_EQ(line_chart({{"a", {}}}, {"x", "y", {}, {}}).find("nan"), std::string::npos);
}

TEST(Svg, HeatmapCellsAreSharesOfTheirRow) {
  const auto svg = heatmap({{3, 1}, {0, 0}}, {"cat", "dog"});
  EXPECT_EQ(count(svg, "class=\"cell\""), 4);
  EXPECT_EQ(count(svg, "fill-opacity=\"0.75\""), 1);
  EXPECT_EQ(count(svg, "fill-opacity=\"0.25\""), 1);
  EXPECT_NE(svg.find("cat as dog: 1 of 4"), std::string::npos);
  std::vector<std::vector<int64_t>> many(30, std::vector<int64_t>(30, 0));
  many[4][5] = 2;
  EXPECT_EQ(count(heatmap(many, std::vector<std::string>(30, "x")), "class=\"cell\""), 1);
}

TEST(Svg, BarsScatterAndStandalone) {
  const auto bars = bar_chart({{"half", 50.0}, {"none", std::nullopt}}, 100, " %");
  EXPECT_NE(bars.find("50 %"), std::string::npos);
  EXPECT_NE(bars.find(">-<"), std::string::npos);
  const auto svg = standalone(scatter({{"a", 0, {1e6, 70}}, {"b", 0, {1e8, 80}}}, {"float32"}, {"MACs", "top-1 [%]", {}, {}}));
  EXPECT_EQ(count(svg, "<circle"), 2);
  EXPECT_EQ(count(svg, "<style>"), 1);
  EXPECT_LT(svg.find("<style>"), svg.find("<title>"));
}

TEST(Svg, ScatterHasReadableTicksAndAColourForEachGroup) {
  const auto svg = scatter({{"net", 0, {2e4, 70}}, {"net", 1, {8e4, 71}}, {"other", 1, {5e6, 80}}}, {"int8", "float32"}, {"bytes", "top-1 [%]", {}, {}});
  for (const char* tick : {">20k<", ">100k<", ">500k<", ">5M<"}) EXPECT_EQ(count(svg, tick), 1) << tick;
  EXPECT_EQ(count(svg, "<circle class=\"fill s0\""), 1);
  EXPECT_EQ(count(svg, "<circle class=\"fill s1\""), 2);
  EXPECT_EQ(count(svg, ">net<"), 1) << "a model is named once";
  EXPECT_EQ(count(svg, ">int8<") + count(svg, ">float32<"), 2) << "the legend";
  EXPECT_EQ(si_number(500), "500");
}

/// The labels' x, y and width; the text's height is 12.
struct Label {
  double x, y, width;
};

std::vector<Label> labels_of(const std::string& svg, const std::string& name) {
  std::vector<Label> labels;
  const std::regex form("<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" text-anchor=\"start\">(" + name + "[0-9]+)<");
  for (std::sregex_iterator it(svg.begin(), svg.end(), form), end; it != end; ++it) labels.push_back({std::stod((*it)[1]), std::stod((*it)[2]), 6.6 * double((*it)[3].length())});
  return labels;
}

TEST(Svg, LabelsOfCrowdedMarksDoNotMeetNorLeaveThePlot) {
  std::vector<Mark> marks;
  for (int i = 0; i < 6; ++i) marks.push_back({"model_number_" + std::to_string(i), 0, {1e6 * (1 + 0.1 * (i % 2)), 80 + 0.2 * i}});
  marks.push_back({"model_number_9", 0, {1e8, 60}});
  const auto labels = labels_of(scatter(marks, {"int8"}, {"MACs", "top-1 [%]", {}, {}, 720, 400}), "model_number_");
  ASSERT_EQ(labels.size(), 7u);
  for (size_t a = 0; a < labels.size(); ++a) {
    EXPECT_GT(labels[a].x, 50);
    EXPECT_LT(labels[a].x + labels[a].width, 720 - 15);
    for (size_t b = 0; b < a; ++b)
      EXPECT_TRUE(labels[a].x >= labels[b].x + labels[b].width || labels[b].x >= labels[a].x + labels[a].width || std::fabs(labels[a].y - labels[b].y) >= 11.9) << a << " and " << b;
  }
}

}  // namespace
}  // namespace kinglet::card
