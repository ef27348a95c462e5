#include "kernels/kernels.h"

float expf(float x); /* of the C library; its header may be missing where code is freestanding */

/* Over the last axis. */
KINGLET_EXPORT void kinglet_softmax_f32(const kinglet_softmax_f32_args* args, const float* x, float* y) {
  for (int32_t r = 0; r < args->rows; ++r, x += args->n, y += args->n) {
    float largest = x[0], sum = 0.0f;
    for (int32_t i = 1; i < args->n; ++i) largest = x[i] > largest ? x[i] : largest;
    for (int32_t i = 0; i < args->n; ++i) sum += y[i] = expf((x[i] - largest) * args->beta);
    for (int32_t i = 0; i < args->n; ++i) y[i] /= sum;
  }
}
