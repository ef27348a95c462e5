#include "train/input_bridge.h"

#include <gtest/gtest.h>

namespace kinglet::train {
namespace {

graph::InputSpec spec(int side, int channels, double divisor, std::vector<double> mean = {}, std::vector<double> deviation = {}) {
  graph::InputSpec s;
  s.height = s.width = side;
  s.channels = channels;
  s.order = channels == 1 ? graph::ColorOrder::gray : graph::ColorOrder::rgb;
  s.divisor = divisor;
  s.mean = std::move(mean);
  s.stddev = std::move(deviation);
  return s;
}

/// Bytes as a contract gives them.
Tensor picture(const graph::InputSpec& s, const std::vector<uint8_t>& bytes) {
  Tensor t(DType::f32, Shape{1, s.height, s.width, s.channels});
  auto out = t.mutable_data<float>();
  for (size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<float>(s.real_value(bytes[i], static_cast<int>(i) % s.channels));
  return t;
}

const std::vector<uint8_t> kRgb{10, 20, 30, 40, 50, 60, 250, 240, 230, 0, 255, 128};

TEST(InputBridge, SameNumbersPassAsTheyAre) {
  EXPECT_TRUE(InputBridge(spec(2, 3, 255), spec(2, 3, 255)).trivial());
  EXPECT_TRUE(InputBridge(spec(2, 3, 127.5, {1, 1, 1}, {1, 1, 1}), spec(2, 3, 255, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5})).trivial());
  EXPECT_FALSE(InputBridge(spec(2, 3, 255), spec(2, 3, 1)).trivial());
  EXPECT_FALSE(InputBridge(spec(2, 3, 255), spec(4, 3, 255)).trivial());
}

TEST(InputBridge, AnotherRangeGivesWhatItsOwnContractGives) {
  const auto from = spec(2, 3, 255), to = spec(2, 3, 255, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225});
  const Tensor got = InputBridge(from, to).convert(picture(from, kRgb)), expected = picture(to, kRgb);
  for (size_t i = 0; i < kRgb.size(); ++i) EXPECT_NEAR(got.data<float>()[i], expected.data<float>()[i], 1e-5);
}

TEST(InputBridge, ColorOrderAndGray) {
  auto bgr = spec(2, 3, 1);
  bgr.order = graph::ColorOrder::bgr;
  const Tensor swapped = InputBridge(spec(2, 3, 1), bgr).convert(picture(spec(2, 3, 1), kRgb));
  EXPECT_EQ(swapped.data<float>()[0], 30);
  EXPECT_EQ(swapped.data<float>()[2], 10);
  const Tensor gray = InputBridge(spec(2, 3, 1), spec(2, 1, 1)).convert(picture(spec(2, 3, 1), kRgb));
  EXPECT_NEAR(gray.data<float>()[0], 0.299 * 10 + 0.587 * 20 + 0.114 * 30, 0.01);
  const Tensor colored = InputBridge(spec(2, 1, 1), spec(2, 3, 255)).convert(picture(spec(2, 1, 1), {51, 0, 255, 102}));
  EXPECT_EQ(colored.shape(), (Shape{1, 2, 2, 3}));
  EXPECT_NEAR(colored.data<float>()[1], 0.2, 1e-6);
}

TEST(InputBridge, SizesChangeBilinearly) {
  const auto from = spec(8, 1, 1), to = spec(16, 1, 1);
  Tensor ramp(DType::f32, Shape{1, 8, 8, 1});
  for (size_t i = 0; i < 64; ++i) ramp.mutable_data<float>()[i] = static_cast<float>(i % 8);
  const Tensor large = InputBridge(from, to).convert(ramp);
  EXPECT_EQ(large.shape(), (Shape{1, 16, 16, 1}));
  for (size_t x = 1; x < 15; ++x) EXPECT_NEAR(large.data<float>()[16 * 3 + x], (double(x) + 0.5) / 2 - 0.5, 1e-5);
}

}  // namespace
}  // namespace kinglet::train
