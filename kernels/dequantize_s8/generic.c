#include "kernels/kernels.h"

KINGLET_EXPORT void kinglet_dequantize_s8(const kinglet_dequantize_s8_args* args, const int8_t* x, float* y) {
  for (int32_t i = 0; i < args->n; ++i) {
    const int32_t value = args->is_unsigned ? (uint8_t)x[i] : x[i];
    y[i] = args->scale * (float)(value - args->in_zero);
  }
}
