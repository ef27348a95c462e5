// float depthwise convolution, multiplier 1: eight channels at a time with fused multiply-add, weights 1HWC as they are.
#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

struct Range {
  int32_t begin, end;
};

// Taps of a window at `start` that fall inside [0, size).
inline Range inside(int32_t start, int32_t taps, int32_t dilation, int32_t size) {
  Range r{0, taps};
  while (r.begin < taps && start + r.begin * dilation < 0) ++r.begin;
  while (r.end > r.begin && start + (r.end - 1) * dilation >= size) --r.end;
  return r;
}

inline __m256i first_lanes(int32_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

}  // namespace

extern "C" void kinglet_depthwise_conv2d_f32_x86_avx2(const kinglet_conv2d_f32_args* args, const float* x, const float* weights,
                                                      const float* bias, float* y) {
  const kinglet_window& w = args->window;
  const int32_t channels = args->in_c;
  const __m256 min = _mm256_set1_ps(args->out_min), max = _mm256_set1_ps(args->out_max);
  for (int32_t oy = 0; oy < w.out_h; ++oy) {
    const int32_t top = oy * w.stride_h - w.pad_top;
    const Range rows = inside(top, w.kernel_h, w.dilation_h, w.in_h);
    for (int32_t ox = 0; ox < w.out_w; ++ox, y += channels) {
      const int32_t left = ox * w.stride_w - w.pad_left;
      const Range columns = inside(left, w.kernel_w, w.dilation_w, w.in_w);
      for (int32_t c = 0; c < channels; c += 8) {
        const __m256i lanes = first_lanes(channels - c);
        __m256 sum = _mm256_maskload_ps(bias + c, lanes);
        for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
          for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
            const float* pixel = x + ((top + ky * w.dilation_h) * w.in_w + left + kx * w.dilation_w) * channels + c;
            const float* tap = weights + (ky * w.kernel_w + kx) * channels + c;
            sum = _mm256_fmadd_ps(_mm256_maskload_ps(pixel, lanes), _mm256_maskload_ps(tap, lanes), sum);
          }
        }
        _mm256_maskstore_ps(y + c, lanes, _mm256_min_ps(max, _mm256_max_ps(min, sum)));
      }
    }
  }
}
