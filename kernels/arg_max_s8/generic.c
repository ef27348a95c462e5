#include "kernels/kernels.h"

/* Input [outer, n, inner] to the index of the largest of n; the lower index wins a tie. */
KINGLET_EXPORT void kinglet_arg_max_s8(const kinglet_arg_max_args* args, const int8_t* x, void* y) {
  for (int32_t o = 0; o < args->outer; ++o) {
    for (int32_t i = 0; i < args->inner; ++i) {
      const int8_t* column = x + o * args->n * args->inner + i;
      int32_t best = 0;
      for (int32_t k = 1; k < args->n; ++k)
        if (column[k * args->inner] > column[best * args->inner]) best = k;
      if (args->wide) ((int64_t*)y)[o * args->inner + i] = best;
      else ((int32_t*)y)[o * args->inner + i] = best;
    }
  }
}
