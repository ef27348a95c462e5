#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Adds n values of each reduced row to sum; rows of b lie together, those of a a whole middle apart. */
static void mean_s8_sum(const kinglet_reduction* s, const int8_t* x, int32_t n, int32_t* sum) {
  const int32_t inner = s->inner, far = s->middle * s->reduce_b * s->inner;
  for (int32_t a = 0; a < s->reduce_a; ++a) {
    const int8_t* row = x + a * far;
    for (int32_t b = 0; b < s->reduce_b; ++b, row += inner)
      for (int32_t i = 0; i < n; ++i) sum[i] += row[i];
  }
}

/* The multiplier holds the division by the number of values. */
KINGLET_EXPORT void kinglet_mean_s8(const kinglet_mean_s8_args* args, const int8_t* x, int8_t* y) {
  const kinglet_reduction* s = &args->shape;
  const int32_t offset = s->reduce_a * s->reduce_b * args->in_zero;
  for (int32_t o = 0; o < s->outer; ++o) {
    for (int32_t m = 0; m < s->middle; ++m) {
      const int8_t* first = x + (o * s->reduce_a * s->middle + m) * s->reduce_b * s->inner;
      for (int32_t i = 0; i < s->inner; i += 16) { /* sixteen at a time, so that rows are read in their order */
        const int32_t n = s->inner - i < 16 ? s->inner - i : 16;
        int32_t sum[16] = {0};
        if (n == 16) mean_s8_sum(s, first + i, 16, sum);
        else mean_s8_sum(s, first + i, n, sum);
        for (int32_t k = 0; k < n; ++k) *y++ = kinglet_quantized(kinglet_requantize(sum[k] - offset, args->multiplier), args->out_zero, -128, 127);
      }
    }
  }
}
