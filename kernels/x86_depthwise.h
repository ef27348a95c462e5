/* What the int8 depthwise kernels share: the picture widened to x - zero point in a padded copy whose channels are rounded up
 * to 16. Only for files compiled with -mavx2 or more. */
#ifndef KINGLET_X86_DEPTHWISE_H
#define KINGLET_X86_DEPTHWISE_H

#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

constexpr int32_t kMaxTaps = 64;

void widen(const int8_t* x, int32_t n, int32_t padded, int32_t zero, int16_t* y) {
  const __m256i zeros = _mm256_set1_epi16((int16_t)zero);
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)(x + i)));
    _mm256_storeu_si256((__m256i*)(y + i), _mm256_sub_epi16(wide, zeros));
  }
  for (; i < n; ++i) y[i] = (int16_t)(x[i] - zero);
  for (; i < padded; ++i) y[i] = 0;
}

void pad_picture(const kinglet_conv2d_s8_args& args, int32_t height, int32_t width, int32_t channels, const int8_t* x, int16_t* y) {
  const kinglet_window& w = args.window;
  for (int32_t r = 0; r < height; ++r) {
    const int32_t iy = r - w.pad_top;
    for (int32_t c = 0; c < width; ++c, y += channels) {
      const int32_t ix = c - w.pad_left;
      const bool inside = iy >= 0 && iy < w.in_h && ix >= 0 && ix < w.in_w;
      widen(x + (inside ? (iy * w.in_w + ix) * args.in_c : 0), inside ? args.in_c : 0, channels, args.in_zero, y);
    }
  }
}

}  // namespace

#endif
