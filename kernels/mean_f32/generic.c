#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_mean_f32(const kinglet_mean_f32_args* args, const float* x, float* y) {
  const kinglet_reduction* s = &args->shape;
  const float count = (float)s->reduce_a * (float)s->reduce_b;
  for (int32_t o = 0; o < s->outer; ++o) {
    for (int32_t m = 0; m < s->middle; ++m) {
      for (int32_t i = 0; i < s->inner; ++i) {
        float sum = 0.0f;
        for (int32_t a = 0; a < s->reduce_a; ++a)
          for (int32_t b = 0; b < s->reduce_b; ++b)
            sum += x[(((o * s->reduce_a + a) * s->middle + m) * s->reduce_b + b) * s->inner + i];
        *y++ = sum / count;
      }
    }
  }
}
