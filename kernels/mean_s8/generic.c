#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* The multiplier holds the division by the number of values. */
KINGLET_EXPORT void kinglet_mean_s8(const kinglet_mean_s8_args* args, const int8_t* x, int8_t* y) {
  const kinglet_reduction* s = &args->shape;
  for (int32_t o = 0; o < s->outer; ++o) {
    for (int32_t m = 0; m < s->middle; ++m) {
      for (int32_t i = 0; i < s->inner; i += 16) { /* sixteen values at a time, so that rows are read in their order */
        const int32_t n = s->inner - i < 16 ? s->inner - i : 16;
        int32_t sum[16] = {0};
        for (int32_t a = 0; a < s->reduce_a; ++a) {
          for (int32_t b = 0; b < s->reduce_b; ++b) {
            const int8_t* row = x + (((o * s->reduce_a + a) * s->middle + m) * s->reduce_b + b) * s->inner + i;
            for (int32_t k = 0; k < n; ++k) sum[k] += row[k] - args->in_zero;
          }
        }
        for (int32_t k = 0; k < n; ++k) *y++ = kinglet_quantized(kinglet_requantize(sum[k], args->multiplier), args->out_zero, -128, 127);
      }
    }
  }
}
