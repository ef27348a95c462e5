#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_hard_swish_f32(const kinglet_count_args* args, const float* x, float* y) {
  for (int32_t i = 0; i < args->n; ++i) {
    const float gate = x[i] + 3.0f;
    y[i] = x[i] * (gate < 0.0f ? 0.0f : gate > 6.0f ? 6.0f : gate) / 6.0f;
  }
}
