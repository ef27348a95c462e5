#include "kernels/kernels.h"

/* Output in order, input in steps: TRANSPOSE and STRIDED_SLICE of any type. All numbers are bytes but the sizes. */
KINGLET_EXPORT void kinglet_strided_copy(const kinglet_strided_copy_args* args, const int8_t* x, int8_t* y) {
  x += args->offset;
  for (int32_t i = 0; i < args->size[0]; ++i) {
    for (int32_t j = 0; j < args->size[1]; ++j) {
      for (int32_t k = 0; k < args->size[2]; ++k) {
        for (int32_t l = 0; l < args->size[3]; ++l) {
          const int8_t* row = x + i * args->step[0] + j * args->step[1] + k * args->step[2] + l * args->step[3];
          for (int32_t m = 0; m < args->size[4]; ++m, row += args->step[4])
            for (int32_t b = 0; b < args->unit; ++b) *y++ = row[b];
        }
      }
    }
  }
}
