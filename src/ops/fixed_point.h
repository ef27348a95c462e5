// Q-format arithmetic of gemmlowp's fixedpoint.h, which TensorFlow Lite's integer softmax is made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace kinglet::ops {

/// a * b / 2^31, rounded half away from zero, saturated: int32 as Q0.31.
constexpr int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == b && a == std::numeric_limits<int32_t>::min()) return std::numeric_limits<int32_t>::max();
  const int64_t ab = int64_t{a} * b;
  const int64_t nudge = ab >= 0 ? int64_t{1} << 30 : 1 - (int64_t{1} << 30);
  return static_cast<int32_t>((ab + nudge) / (int64_t{1} << 31));
}

/// x / 2^exponent, rounded half away from zero; exponent 0..31.
constexpr int32_t rounding_divide_by_pot(int32_t x, int exponent) {
  const int64_t mask = (int64_t{1} << exponent) - 1;
  const int64_t remainder = x & mask;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<int32_t>((int64_t{x} >> exponent) + (remainder > threshold ? 1 : 0));
}

constexpr int32_t saturating_left_shift(int32_t x, int bits) {
  const int64_t wide = int64_t{x} * (int64_t{1} << bits);
  return static_cast<int32_t>(std::clamp<int64_t>(wide, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

/// exp(a) for a <= 0 in Q5.26, as Q0.31.
int32_t exp_on_negative_q5_26(int32_t a);
/// 1 / (1 + x) for x in [0, 1] in Q0.31, as Q0.31 (three Newton-Raphson steps from 48/17 - 32/17 d).
int32_t one_over_one_plus_q31(int32_t x);

}  // namespace kinglet::ops
