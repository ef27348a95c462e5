/* Stage 2 of the input contract: bytes through the table of their channel. */
#include "preprocess.h"

void kinglet_map_8(const uint8_t* in, int32_t pixels, int32_t channels, const uint8_t* tables, uint8_t* out) {
  for (int32_t i = 0; i < pixels; ++i, in += channels, out += channels)
    for (int32_t c = 0; c < channels; ++c) out[c] = tables[c * 256 + in[c]];
}

void kinglet_map_f32(const uint8_t* in, int32_t pixels, int32_t channels, const float* tables, float* out) {
  for (int32_t i = 0; i < pixels; ++i, in += channels, out += channels)
    for (int32_t c = 0; c < channels; ++c) out[c] = tables[c * 256 + in[c]];
}
