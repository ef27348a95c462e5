#include "eval/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "eval/doctor_tries.h"
#include "eval/doubts.h"
#include "eval/toy_test_data.h"
#include "formats/formats.h"

namespace kinglet::eval {
namespace {

using graph::Origin;

/// Classes are colours: the label is the strongest channel of a 1x1 picture, which the model passes through.
class Colors final : public data::Dataset {
 public:
  explicit Colors(int64_t n, bool coarse = false) {
    info_.name = "colors", info_.split = "test", info_.classes = {"red", "green", "blue"};
    for (int64_t i = 0; i < n; ++i) {
      RandomStream random(7, 0, static_cast<uint64_t>(i), Purpose::draw);
      const int label = static_cast<int>(random.below(3));
      data::Image image{1, 1, 3, {0, 0, 0}};
      for (int c = 0; c < 3; ++c)
        image.pixels[static_cast<size_t>(c)] = static_cast<uint8_t>(c == label ? 150 + random.below(100) : random.below(140));
      if (coarse)
        image.pixels = {static_cast<uint8_t>(image.pixels[0] >> 3 << 3 | image.pixels[0] >> 5),
                        static_cast<uint8_t>(image.pixels[1] >> 2 << 2 | image.pixels[1] >> 6),
                        static_cast<uint8_t>(image.pixels[2] >> 3 << 3 | image.pixels[2] >> 5)};
      labels_.push_back(label), images_.push_back(image);
    }
  }
  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  int label(int64_t i) const override { return labels_.at(static_cast<size_t>(i)); }
  data::Image image(int64_t i) const override { return images_.at(static_cast<size_t>(i)); }
  std::string id(int64_t i) const override { return std::to_string(i); }
  const data::DatasetInfo& info() const override { return info_; }
  std::vector<data::Image>& images() { return images_; }
  std::vector<int>& labels() { return labels_; }

 private:
  std::vector<data::Image> images_;
  std::vector<int> labels_;
  data::DatasetInfo info_;
};

graph::Model color_model() {
  ops::GraphBuilder builder;
  const auto x = builder.input("pixels", {1, 1, 1, 3}, DType::f32);
  builder.output(builder.node(graph::OpKind::Reshape, graph::ReshapeAttrs{{3}}, {x}, "scores"));
  graph::Model model;
  model.name = "colors";
  model.graph = builder.finish();
  model.input.height = model.input.width = 1;
  model.input.channels = 3;
  set_origins(model.input, Origin::embedded);
  return model;
}

TEST(Doctor, NamesSwappedColoursAndTheFlag) {
  const auto model = [] {
    auto m = color_model();
    graph::override_input_spec(m.input, "order=bgr");
    return m;
  }();
  auto engine = reference_engine(model.graph);
  const auto report = diagnose(*engine, model, Colors(600), "order=bgr");
  EXPECT_EQ(report.n, 400);
  ASSERT_EQ(report.cures.size(), 1u) << report.verdict;
  const auto& cure = report.tries[report.cures[0]];
  EXPECT_EQ(cure.factor, "order");
  EXPECT_EQ(report.flag, "order=rgb");
  EXPECT_EQ(report.top1_percent(cure), 100);
  EXPECT_LT(report.top1_percent(report.tries[0]), 50);
  EXPECT_EQ(cure.only_try_right - cure.only_before_right, cure.hits - report.tries[0].hits);
  EXPECT_LT(cure.p_value, 1e-9);
  EXPECT_NE(report.verdict.find("red first (RGB): 100.0 %"), std::string::npos) << report.verdict;
  const Json json = doctor_report_to_json(report);
  EXPECT_EQ(json["cures"][0]["flag"], "order=rgb");
  EXPECT_EQ(json["tries"].size() + 1, report.tries.size());
}

TEST(Doctor, SaysSoWhenNothingIsBetter) {
  const auto model = color_model();
  auto engine = reference_engine(model.graph);
  const auto report = diagnose(*engine, model, Colors(100), "");
  EXPECT_EQ(report.n, 100);
  EXPECT_TRUE(report.cures.empty());
  EXPECT_EQ(report.flag, "");
  EXPECT_NE(report.verdict.find("Nothing tried is better for sure"), std::string::npos);
}

TEST(Doctor, DoesNotChooseByChance) {
  // Labels drawn without regard to the pictures: some try is always a little better, none for a reason.
  Colors noise(400);
  RandomStream random(3, 0, 0, Purpose::draw);
  for (auto& label : noise.labels()) label = static_cast<int>(random.below(3));
  const auto model = color_model();
  auto engine = reference_engine(model.graph);
  const auto report = diagnose(*engine, model, noise, "");
  EXPECT_TRUE(report.cures.empty()) << report.verdict;
}

TEST(Doctor, FindsSwappedBytesOf16BitPixels) {
  Colors pictures(300, true);
  for (auto& image : pictures.images()) image = swap_rgb565_bytes(image);
  const auto model = color_model();
  auto engine = reference_engine(model.graph);
  const auto report = diagnose(*engine, model, pictures, "");
  ASSERT_FALSE(report.cures.empty()) << report.verdict;
  EXPECT_EQ(report.tries[report.cures[0]].factor, "pictures");
  EXPECT_EQ(report.tries[report.cures[0]].hits, 300);
  EXPECT_NE(report.verdict.find("16-bit pixel"), std::string::npos);
}

TEST(DoctorTries, OnlyWhatWouldChangeTheTensor) {
  graph::InputSpec spec = color_model().input;
  auto changes = [&](PictureFacts facts) {
    std::vector<std::string> list;
    for (const auto& a : alternatives(spec, facts)) list.push_back(a.factor);
    return list;
  };
  auto has = [](const std::vector<std::string>& list, const char* factor) { return std::count(list.begin(), list.end(), factor); };
  const auto plain = changes({});
  EXPECT_EQ(has(plain, "order"), 0) << "gray pictures do not tell";
  EXPECT_EQ(has(plain, "resize") + has(plain, "filter") + has(plain, "pictures"), 0);
  EXPECT_EQ(has(plain, "range"), 7) << "0 to 1 is given";
  const auto all = changes({true, true, true, true});
  EXPECT_EQ(has(all, "order"), 1);
  EXPECT_EQ(has(all, "resize"), 4);
  EXPECT_EQ(has(all, "filter"), 5);
  EXPECT_EQ(has(all, "pictures"), 1);
}

TEST(DoctorTries, SwappingTwiceIsNothing) {
  const data::Image image{1, 2, 3, {0xFF, 0x04, 0x08, 0x39, 0xAA, 0xC6}};
  ASSERT_TRUE(fits_rgb565(image));
  EXPECT_NE(swap_rgb565_bytes(image).pixels, image.pixels);
  EXPECT_EQ(swap_rgb565_bytes(swap_rgb565_bytes(image)).pixels, image.pixels);
  EXPECT_FALSE(fits_rgb565({1, 1, 3, {1, 0, 0}}));
}

TEST(Doubts, OnlyFieldsThatMatter) {
  graph::InputSpec spec = color_model().input;
  EXPECT_EQ(contract_doubt(spec, true), "");
  set_origins(spec, Origin::assumed);
  spec.origins["size"] = Origin::embedded;
  spec.origins["divisor"] = Origin::inferred;
  EXPECT_EQ(doubtful_fields(spec, false), (std::vector<std::string>{"order", "divisor", "mean", "std"}));
  EXPECT_EQ(doubtful_fields(spec, true),
            (std::vector<std::string>{"order", "resize", "filter", "antialias", "coordinates", "divisor", "mean", "std"}));
  const auto text = contract_doubt(spec, false);
  EXPECT_NE(text.find("order, mean, std are only assumed, divisor inferred from its quantization"), std::string::npos) << text;
  set_origins(spec, Origin::known_file);
  EXPECT_EQ(contract_doubt(spec, true), "");
}

}  // namespace
}  // namespace kinglet::eval
