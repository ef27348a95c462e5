#include <cmath>

#include "ops/fixed_point.h"
#include "ops/numerics.h"
#include "ops/rules.h"

namespace kinglet::ops {

namespace {

std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  if (input_value(graph, node, 0).shape.rank() < 2) refuse(node, "needs an axis besides the batch");
  return same_type(graph, node);
}

constexpr auto mul = saturating_rounding_doubling_high_mul;

/// exp on [-1/4, 0) in Q0.31: Taylor around -1/8.
int32_t exp_on_quarter_interval(int32_t a) {
  constexpr int32_t kExpMinusEighth = 1895147668, kOneThird = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t x2 = mul(x, x), x3 = mul(x2, x), x4 = mul(x2, x2);
  const int32_t tail = rounding_divide_by_pot(mul(rounding_divide_by_pot(x4, 2) + x3, kOneThird) + x2, 1);
  return kExpMinusEighth + mul(kExpMinusEighth, x + tail);
}

}  // namespace

int32_t exp_on_negative_q5_26(int32_t a) {
  if (a == 0) return std::numeric_limits<int32_t>::max();
  constexpr int kFractionBits = 26;
  constexpr int32_t kQuarter = 1 << 24;
  const int32_t reduced = (a & (kQuarter - 1)) - kQuarter;
  const int32_t remainder = reduced - a;
  int32_t result = exp_on_quarter_interval(saturating_left_shift(reduced, 5));
  // exp(-2^e) in Q0.31 for e = -2 .. 4.
  constexpr std::array<int32_t, 7> kPowers{1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int i = 0; i < 7; ++i)
    if (remainder & (1 << (kFractionBits + i - 2))) result = mul(result, kPowers[static_cast<size_t>(i)]);
  return result;
}

int32_t one_over_one_plus_q31(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810, kMinus32Over17 = -1010580540, kOneQ29 = 1 << 29;  // Q2.29
  const auto half_denominator = static_cast<int32_t>((int64_t{x} + std::numeric_limits<int32_t>::max() + 1) / 2);
  int32_t y = k48Over17 + mul(half_denominator, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const int32_t miss = kOneQ29 - mul(half_denominator, y);
    y += saturating_left_shift(mul(y, miss), 2);
  }
  return saturating_left_shift(y, 1);
}

// The fixed-point argument is scale * beta in Q5.26; differences beyond its radius count as minus infinity.
SoftmaxTable softmax_table(float beta, float input_scale) {
  const double real = std::min(double{beta} * double{input_scale} * (1 << 26), 2147483647.0);
  const Multiplier m = quantize_multiplier(real);
  const int shift = std::max(m.shift, 0);
  const int radius = static_cast<int>(std::floor(31.0 * (1 << 26) / std::ldexp(1.0, shift)));
  SoftmaxTable table;
  for (int d = 0; d < 256 && d <= radius; ++d) {
    const auto scaled = static_cast<int32_t>(-int64_t{d} * (int64_t{1} << shift));
    table.exp_q31[static_cast<size_t>(d)] = exp_on_negative_q5_26(mul(scaled, m.mantissa));
  }
  return table;
}

void softmax_row_s8(const SoftmaxTable& table, const int8_t* x, int8_t* y, int n) {
  const int max = *std::max_element(x, x + n);
  int32_t sum = 0;  // Q12.19
  for (int i = 0; i < n; ++i) sum += rounding_divide_by_pot(table.exp_q31[static_cast<size_t>(max - x[i])], 12);
  const int headroom = __builtin_clz(static_cast<uint32_t>(sum));
  const auto fraction = static_cast<int32_t>((static_cast<uint32_t>(sum) << headroom) - (1u << 31));
  const int32_t reciprocal = one_over_one_plus_q31(fraction);
  const int shift = (12 - headroom) + 31 - 8;
  for (int i = 0; i < n; ++i) {
    const int32_t e = table.exp_q31[static_cast<size_t>(max - x[i])];
    y[i] = e == 0 ? int8_t{-128} : static_cast<int8_t>(std::min(rounding_divide_by_pot(mul(reciprocal, e), shift) - 128, 127));
  }
}

extern const OpInfo kSoftmaxInfo;
const OpInfo kSoftmaxInfo{.infer = infer, .quant = {QuantKind::fixed, 1.0f / 256.0f, -128}};

}  // namespace kinglet::ops
