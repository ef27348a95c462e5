#include "ops/numerics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "ops/fixed_point.h"

namespace kinglet::ops {
namespace {

TEST(Multiplier, KnownDecompositions) {
  EXPECT_EQ(quantize_multiplier(0.5), (Multiplier{1 << 30, 0}));
  EXPECT_EQ(quantize_multiplier(1.0), (Multiplier{1 << 30, 1}));
  EXPECT_EQ(quantize_multiplier(0.0), (Multiplier{}));
  EXPECT_EQ(quantize_multiplier(0x1p-32), (Multiplier{1 << 30, -31}));
  EXPECT_EQ(quantize_multiplier(0x1p-33), (Multiplier{}));  // below 2^-32
  EXPECT_EQ(quantize_multiplier(1.0 - 0x1p-40), (Multiplier{1 << 30, 1}));  // the mantissa rounds up to 2^31
  EXPECT_THROW(quantize_multiplier(-1), Error);
  EXPECT_THROW(quantize_multiplier(NAN), Error);
}

TEST(Requantize, HalvesAndLargeValues) {
  const Multiplier half = quantize_multiplier(0.5);
  EXPECT_EQ(requantize(3, half), 2);    // half away from zero
  EXPECT_EQ(requantize(-3, half), -1);  // the high multiply rounds -1.5 to -1: its nudge pulls towards +infinity
  EXPECT_EQ(requantize_once(3, half), 2);
  EXPECT_EQ(requantize_once(-3, half), -1);
  EXPECT_EQ(requantize(1000, quantize_multiplier(1.14)), 1140);
}

TEST(Requantize, WithinOneOfTheRealProduct) {
  RandomStream random(1, 0, 0, Purpose::draw);
  int differ = 0;
  for (int i = 0; i < 20000; ++i) {
    const double m = std::exp(random.uniform(-12, 0.1));
    const auto x = static_cast<int32_t>(random.uniform(-1e6, 1e6));
    const Multiplier q = quantize_multiplier(m);
    EXPECT_NEAR(requantize(x, q), x * m, 1.0);
    EXPECT_NEAR(requantize_once(x, q), x * m, 0.5001);
    differ += requantize(x, q) != requantize_once(x, q);
  }
  EXPECT_GT(differ, 0);  // rounding twice is a rule of its own
}

TEST(FixedPoint, ExponentialAndReciprocal) {
  for (double x = -20; x < 0; x += 0.013)
    EXPECT_NEAR(exp_on_negative_q5_26(static_cast<int32_t>(std::ldexp(x, 26))) * 0x1p-31, std::exp(x), 1e-6) << x;
  for (double x = 0; x < 1; x += 0.003)
    EXPECT_NEAR(one_over_one_plus_q31(static_cast<int32_t>(std::ldexp(x, 31))) * 0x1p-31, 1 / (1 + x), 1e-7) << x;
}

TEST(Softmax, CloseToRealAndSumsToOne) {
  const auto table = softmax_table(1.0f, 0.1f);
  RandomStream random(2, 0, 0, Purpose::draw);
  for (int round = 0; round < 200; ++round) {
    std::array<int8_t, 10> x{}, y{};
    double sum = 0;
    for (auto& v : x) v = static_cast<int8_t>(static_cast<int>(random.below(256)) - 128);
    for (auto v : x) sum += std::exp(0.1 * v);
    softmax_row_s8(table, x.data(), y.data(), 10);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i] + 128, std::exp(0.1 * x[i]) / sum * 256, 1.01);
  }
}

TEST(ActivationRange, InSteps) {
  const auto q = graph::QuantParams::per_tensor(0.05f, -100);
  EXPECT_EQ(activation_range(graph::Activation::relu6, q, DType::s8).min, -100);
  EXPECT_EQ(activation_range(graph::Activation::relu6, q, DType::s8).max, 20);
  EXPECT_EQ(activation_range(graph::Activation::none, q, DType::u8).max, 255);
}

TEST(QuantizeValue, RoundsAwayFromZeroAndClamps) {
  EXPECT_EQ(quantize_value(2.5f, 1.0f, 0, DType::s8), 3);
  EXPECT_EQ(quantize_value(-2.5f, 1.0f, 0, DType::s8), -3);
  EXPECT_EQ(quantize_value(1e30f, 1.0f, 0, DType::s8), 127);
  EXPECT_EQ(quantize_value(-5.0f, 1.0f, 3, DType::u8), 0);
}

TEST(Numerics, NamesRoundTrip) {
  EXPECT_EQ(numerics_from_name("litert2"), Numerics::litert2);
  EXPECT_THROW(numerics_from_name("litert"), Error);
}

}  // namespace
}  // namespace kinglet::ops
