/* Stage 2 of the input contract: bytes through the table of their channel. */
#include "preprocess.h"

void kinglet_map_8(const uint8_t* in, int32_t pixels, int32_t channels, const uint8_t* tables, uint8_t* out) {
  if (channels == 1) {
    for (int32_t i = 0; i < pixels; ++i) out[i] = tables[in[i]];
    return;
  }
  for (int32_t i = 0; i < pixels; ++i, in += 3, out += 3) {
    out[0] = tables[in[0]];
    out[1] = tables[256 + in[1]];
    out[2] = tables[512 + in[2]];
  }
}

void kinglet_map_f32(const uint8_t* in, int32_t pixels, int32_t channels, const float* tables, float* out) {
  if (channels == 1) {
    for (int32_t i = 0; i < pixels; ++i) out[i] = tables[in[i]];
    return;
  }
  for (int32_t i = 0; i < pixels; ++i, in += 3, out += 3) {
    out[0] = tables[in[0]];
    out[1] = tables[256 + in[1]];
    out[2] = tables[512 + in[2]];
  }
}
