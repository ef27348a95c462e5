#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Half away from zero; NaN gives the zero point. */
KINGLET_EXPORT void kinglet_quantize_f32(const kinglet_quantize_f32_args* args, const float* x, int8_t* y) {
  for (int32_t i = 0; i < args->n; ++i) {
    const float real = x[i] / args->scale;
    const float bounded = real > -1000.0f ? (real < 1000.0f ? real : 1000.0f) : real <= -1000.0f ? -1000.0f : 0.0f;
    const int32_t whole = (int32_t)bounded;
    const float rest = bounded - (float)whole;
    const int32_t rounded = whole + (rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0);
    const int32_t value = kinglet_clamp(rounded + args->out_zero, args->out_min, args->out_max);
    y[i] = (int8_t)(value > 127 ? value - 256 : value);
  }
}
