#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* 1 / (1 + x) for x in [0, 1) as Q0.31: three Newton-Raphson steps from 48/17 - 32/17 d, all in Q2.29. */
static int32_t softmax_s8_reciprocal(int32_t x) {
  const int32_t half_denominator = (int32_t)(((int64_t)x + 2147483647 + 1) / 2);
  int32_t y = 1515870810 + kinglet_doubling_high_multiply(half_denominator, -1010580540);
  for (int i = 0; i < 3; ++i) {
    const int32_t miss = ((int32_t)1 << 29) - kinglet_doubling_high_multiply(half_denominator, y);
    y += kinglet_doubling_high_multiply(y, miss) * 4;
  }
  return y > 1073741823 ? 2147483647 : y * 2;
}

/* table[d] is the exponential of d = 0..255 steps below the row's largest, Q0.31. Outputs are 1/256 with zero point -128. */
KINGLET_EXPORT void kinglet_softmax_s8(const kinglet_softmax_s8_args* args, const int8_t* x, const int32_t* table, int8_t* y) {
  for (int32_t r = 0; r < args->rows; ++r, x += args->n, y += args->n) {
    int32_t largest = -128, headroom = 0;
    uint32_t sum = 0; /* Q12.19 */
    for (int32_t i = 0; i < args->n; ++i) largest = x[i] > largest ? x[i] : largest;
    for (int32_t i = 0; i < args->n; ++i) sum += (uint32_t)kinglet_rounding_shift(table[largest - x[i]], 12);
    while (!(sum & 0x80000000u)) sum <<= 1, ++headroom;
    const int32_t reciprocal = softmax_s8_reciprocal((int32_t)(sum - 0x80000000u));
    const int32_t shift = 12 - headroom + 31 - 8; /* above 31, with hundreds of classes alike, every share rounds to 0 */
    for (int32_t i = 0; i < args->n; ++i) {
      const int32_t exponential = table[largest - x[i]];
      const int32_t share = shift > 31 ? 0 : kinglet_rounding_shift(kinglet_doubling_high_multiply(reciprocal, exponential), shift);
      y[i] = (int8_t)(exponential == 0 ? -128 : kinglet_clamp(share - 128, -128, 127));
    }
  }
}
