#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_clamp_f32(const kinglet_clamp_f32_args* args, const float* x, float* y) {
  for (int32_t i = 0; i < args->n; ++i) y[i] = x[i] < args->out_min ? args->out_min : x[i] > args->out_max ? args->out_max : x[i];
}
