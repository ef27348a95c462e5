#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_pad_f32(const kinglet_pad_f32_args* args, const float* x, float* y) {
  const kinglet_padding* s = &args->shape;
  for (int32_t i = -s->before[0]; i < s->out[0] - s->before[0]; ++i) {
    for (int32_t j = -s->before[1]; j < s->out[1] - s->before[1]; ++j) {
      for (int32_t k = -s->before[2]; k < s->out[2] - s->before[2]; ++k) {
        const int inside = i >= 0 && i < s->in[0] && j >= 0 && j < s->in[1] && k >= 0 && k < s->in[2];
        const int32_t before = inside ? s->before[3] : s->out[3], taken = inside ? s->in[3] : 0;
        const float* row = x + (inside ? ((i * s->in[1] + j) * s->in[2] + k) * s->in[3] : 0);
        for (int32_t l = 0; l < before; ++l) y[l] = 0.0f;
        for (int32_t l = 0; l < taken; ++l) y[before + l] = row[l];
        for (int32_t l = before + taken; l < s->out[3]; ++l) y[l] = 0.0f;
        y += s->out[3];
      }
    }
  }
}
