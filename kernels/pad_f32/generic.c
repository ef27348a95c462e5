#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_pad_f32(const kinglet_pad_f32_args* args, const float* x, float* y) {
  const kinglet_padding* s = &args->shape;
  for (int32_t i = -s->before[0]; i < s->out[0] - s->before[0]; ++i) {
    for (int32_t j = -s->before[1]; j < s->out[1] - s->before[1]; ++j) {
      for (int32_t k = -s->before[2]; k < s->out[2] - s->before[2]; ++k) {
        const int inside = i >= 0 && i < s->in[0] && j >= 0 && j < s->in[1] && k >= 0 && k < s->in[2];
        for (int32_t l = -s->before[3]; l < s->out[3] - s->before[3]; ++l) {
          const int from_x = inside && l >= 0 && l < s->in[3];
          *y++ = from_x ? x[((i * s->in[1] + j) * s->in[2] + k) * s->in[3] + l] : 0.0f;
        }
      }
    }
  }
}
