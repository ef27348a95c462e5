#include "kernels/kernels.h"

/* Weights OI. */
KINGLET_EXPORT void kinglet_fully_connected_f32(const kinglet_fully_connected_f32_args* args, const float* x, const float* weights,
                                                const float* bias, float* y) {
  for (int32_t o = 0; o < args->out_n; ++o) {
    const float* row = weights + o * args->in_n;
    float sum = 0.0f;
    for (int32_t i = 0; i < args->in_n; ++i) sum += x[i] * row[i];
    sum += bias[o];
    y[o] = sum < args->out_min ? args->out_min : sum > args->out_max ? args->out_max : sum;
  }
}
