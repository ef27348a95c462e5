#include "kernels/kernels.h"

/* Either input may be repeated along any axis (kinglet_broadcast). */
KINGLET_EXPORT void kinglet_add_f32(const kinglet_binary_f32_args* args, const float* a, const float* b, float* y) {
  const kinglet_broadcast* s = &args->shape;
  for (int32_t i = 0; i < s->size[0]; ++i) {
    for (int32_t j = 0; j < s->size[1]; ++j) {
      for (int32_t k = 0; k < s->size[2]; ++k) {
        const float* row_a = a + i * s->step_a[0] + j * s->step_a[1] + k * s->step_a[2];
        const float* row_b = b + i * s->step_b[0] + j * s->step_b[1] + k * s->step_b[2];
        for (int32_t l = 0; l < s->size[3]; ++l) {
          const float value = row_a[l * s->step_a[3]] + row_b[l * s->step_b[3]];
          *y++ = value < args->out_min ? args->out_min : value > args->out_max ? args->out_max : value;
        }
      }
    }
  }
}
