#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* The multiplier holds the division by the number of values. */
KINGLET_EXPORT void kinglet_mean_s8(const kinglet_mean_s8_args* args, const int8_t* x, int8_t* y) {
  const kinglet_reduction* s = &args->shape;
  for (int32_t o = 0; o < s->outer; ++o) {
    for (int32_t m = 0; m < s->middle; ++m) {
      for (int32_t i = 0; i < s->inner; ++i) {
        int32_t sum = 0;
        for (int32_t a = 0; a < s->reduce_a; ++a)
          for (int32_t b = 0; b < s->reduce_b; ++b)
            sum += x[(((o * s->reduce_a + a) * s->middle + m) * s->reduce_b + b) * s->inner + i] - args->in_zero;
        *y++ = kinglet_quantized(kinglet_requantize(sum, args->multiplier), args->out_zero, -128, 127);
      }
    }
  }
}
