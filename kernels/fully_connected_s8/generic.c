#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Weights OI. */
KINGLET_EXPORT void kinglet_fully_connected_s8(const kinglet_fully_connected_s8_args* args, const int8_t* x, const int8_t* weights,
                                               const int32_t* bias, const kinglet_multiplier* multipliers, int8_t* y) {
  int32_t inputs = 0;
  if (args->weight_zero)
    for (int32_t i = 0; i < args->in_n; ++i) inputs += x[i] - args->in_zero;
  for (int32_t o = 0; o < args->out_n; ++o) {
    const int8_t* row = weights + o * args->in_n;
    const kinglet_multiplier m = multipliers[o * args->multiplier_step];
    int32_t sum = kinglet_multiply_add(bias[o], -args->weight_zero, inputs);
    for (int32_t i = 0; i < args->in_n; ++i) sum = kinglet_multiply_add(sum, x[i] - args->in_zero, row[i]);
    const int32_t scaled = args->round_once ? kinglet_requantize_once(sum, m) : kinglet_requantize(sum, m);
    y[o] = kinglet_quantized(scaled, args->out_zero, args->out_min, args->out_max);
  }
}
