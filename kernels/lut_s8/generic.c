#include "kernels/kernels.h"

/* Any operator that maps one byte to one byte. The table is indexed by the input's byte read as unsigned. */
KINGLET_EXPORT void kinglet_lut_s8(const kinglet_count_args* args, const int8_t* x, const int8_t* table, int8_t* y) {
  for (int32_t i = 0; i < args->n; ++i) y[i] = table[(uint8_t)x[i]];
}
