#include "kernels/kernels.h"

static int8_t* concatenate_one(const int8_t* x, int32_t bytes, int8_t* y) {
  for (int32_t i = 0; i < bytes; ++i) *y++ = x[i];
  return y;
}

/* Rows of up to four inputs one after another; an input of 0 bytes a row is not there. */
KINGLET_EXPORT void kinglet_concatenate(const kinglet_concatenate_args* args, const int8_t* a, const int8_t* b, const int8_t* c,
                                        const int8_t* d, int8_t* y) {
  for (int32_t r = 0; r < args->rows; ++r) {
    y = concatenate_one(a + r * args->bytes[0], args->bytes[0], y);
    y = concatenate_one(b + r * args->bytes[1], args->bytes[1], y);
    y = concatenate_one(c + r * args->bytes[2], args->bytes[2], y);
    y = concatenate_one(d + r * args->bytes[3], args->bytes[3], y);
  }
}
