#include "kernels/kernels.h"

/* Source row of each output row and source column of each output column; a pixel has `unit` bytes. */
KINGLET_EXPORT void kinglet_resize_nearest(const kinglet_resize_nearest_args* args, const int8_t* x, const int32_t* rows,
                                           const int32_t* columns, int8_t* y) {
  for (int32_t i = 0; i < args->out_h; ++i) {
    for (int32_t j = 0; j < args->out_w; ++j) {
      const int8_t* pixel = x + (rows[i] * args->in_w + columns[j]) * args->unit;
      for (int32_t b = 0; b < args->unit; ++b) *y++ = pixel[b];
    }
  }
}
