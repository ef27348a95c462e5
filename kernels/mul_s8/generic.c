#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Either input may be repeated along any axis (kinglet_broadcast). */
KINGLET_EXPORT void kinglet_mul_s8(const kinglet_mul_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  const kinglet_broadcast* s = &args->shape;
  for (int32_t i = 0; i < s->size[0]; ++i) {
    for (int32_t j = 0; j < s->size[1]; ++j) {
      for (int32_t k = 0; k < s->size[2]; ++k) {
        const int8_t* row_a = a + i * s->step_a[0] + j * s->step_a[1] + k * s->step_a[2];
        const int8_t* row_b = b + i * s->step_b[0] + j * s->step_b[1] + k * s->step_b[2];
        for (int32_t l = 0; l < s->size[3]; ++l) {
          const int32_t product = (row_a[l * s->step_a[3]] - args->zero_a) * (row_b[l * s->step_b[3]] - args->zero_b);
          *y++ = kinglet_quantized(kinglet_requantize(product, args->multiplier), args->out_zero, args->out_min, args->out_max);
        }
      }
    }
  }
}
