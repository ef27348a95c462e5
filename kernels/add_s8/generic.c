#include "kernels/kernels.h"
#include "kernels/requantize.h"

static int8_t add_s8_one(const kinglet_add_s8_args* args, int32_t a, int32_t b) {
  const int32_t one = 1 << args->left_shift;
  const int32_t scaled_a = kinglet_requantize((a - args->zero_a) * one, args->multiplier_a);
  const int32_t scaled_b = kinglet_requantize((b - args->zero_b) * one, args->multiplier_b);
  const int32_t sum = kinglet_requantize(scaled_a + scaled_b, args->multiplier_out);
  return kinglet_quantized(sum, args->out_zero, args->out_min, args->out_max);
}

/* Either input may be repeated along any axis (kinglet_broadcast). */
KINGLET_EXPORT void kinglet_add_s8(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  const kinglet_broadcast* s = &args->shape;
  for (int32_t i = 0; i < s->size[0]; ++i) {
    for (int32_t j = 0; j < s->size[1]; ++j) {
      for (int32_t k = 0; k < s->size[2]; ++k) {
        const int8_t* row_a = a + i * s->step_a[0] + j * s->step_a[1] + k * s->step_a[2];
        const int8_t* row_b = b + i * s->step_b[0] + j * s->step_b[1] + k * s->step_b[2];
        for (int32_t l = 0; l < s->size[3]; ++l) *y++ = add_s8_one(args, row_a[l * s->step_a[3]], row_b[l * s->step_b[3]]);
      }
    }
  }
}
