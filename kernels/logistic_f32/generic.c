#include "kernels/kernels.h"

float expf(float x); /* of the C library; its header may be missing where code is freestanding */

KINGLET_EXPORT void kinglet_logistic_f32(const kinglet_count_args* args, const float* x, float* y) {
  for (int32_t i = 0; i < args->n; ++i) y[i] = 1.0f / (1.0f + expf(-x[i]));
}
