#include <math.h>

#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_logistic_f32(const kinglet_count_args* args, const float* x, float* y) {
  for (int32_t i = 0; i < args->n; ++i) y[i] = 1.0f / (1.0f + expf(-x[i]));
}
