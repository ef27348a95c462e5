/* What the int8 depthwise kernels share: the picture widened to x - zero point in a padded copy whose channels are rounded up
 * to 16. Only for files compiled with -mavx2 or more. */
#ifndef KINGLET_X86_DEPTHWISE_H
#define KINGLET_X86_DEPTHWISE_H

#include "kernels/kernels.h"
#include "kernels/x86_widen.h"

namespace {

constexpr int32_t kMaxTaps = 64;

void pad_picture(const kinglet_conv2d_s8_args& args, int32_t height, int32_t width, int32_t channels, const int8_t* x, int16_t* y) {
  const kinglet_window& w = args.window;
  for (int32_t r = 0; r < height; ++r) {
    const int32_t iy = r - w.pad_top;
    for (int32_t c = 0; c < width; ++c, y += channels) {
      const int32_t ix = c - w.pad_left;
      const bool inside = iy >= 0 && iy < w.in_h && ix >= 0 && ix < w.in_w;
      const int32_t n = inside ? args.in_c : 0;
      if (inside) widen(x + (iy * w.in_w + ix) * args.in_c, n, args.in_zero, y);
      clear(y + n, channels - n);
    }
  }
}

}  // namespace

#endif
