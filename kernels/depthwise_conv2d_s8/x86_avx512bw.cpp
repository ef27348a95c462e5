// int8 depthwise convolution of two neighbouring output pixels at a time, sixteen channels each; weights, bias, mantissas,
// shifts and the padded picture lie as x86_avx2.cpp has them.
#include "kernels/x86_avx512.h"
#include "kernels/x86_depthwise.h"

namespace {

inline __m512i twice(__m256i x) { return _mm512_broadcast_i64x4(x); }
inline __m512i load_twice(const int32_t* x) { return twice(_mm256_loadu_si256((const __m256i*)x)); }

struct Block {
  const int16_t* weights;
  __m512i bias[2];
  Scaler scaler[2];
};

inline Block load_block(int32_t b, int32_t pairs, const int16_t* weights, const int32_t* bias, const int32_t* mantissas,
                        const int32_t* shifts) {
  Block block;
  block.weights = weights + b * pairs * 32;
  for (int half = 0; half < 2; ++half) {
    const int32_t at = b * 16 + half * 8;
    block.bias[half] = load_twice(bias + at);
    block.scaler[half] = make_scaler(load_twice(mantissas + at), load_twice(shifts + at));
  }
  return block;
}

struct OutputRange {
  __m512i zero, min, max;
};

inline __m512i quantized(__m512i sum, const Scaler& scaler, const OutputRange& range) {
  return _mm512_add_epi32(_mm512_min_epi32(_mm512_max_epi32(requantize(sum, scaler), range.min), range.max), range.zero);
}

inline __m512i load_two(const int16_t* first, const int16_t* second) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)first)), _mm256_loadu_si256((const __m256i*)second), 1);
}

// Sixteen int8 of the pixel at x and sixteen of the one at x + step, one after the other.
inline __m256i two_pixels(const Block& block, const OutputRange& range, const int16_t* x, int32_t step, const int32_t* offsets, int32_t pairs) {
  __m512i low = block.bias[0], high = block.bias[1];
  for (int32_t t = 0; t < pairs; ++t) {
    const int16_t *a = x + offsets[2 * t], *b = x + offsets[2 * t + 1];
    const __m512i x0 = load_two(a, a + step), x1 = load_two(b, b + step);
    const __m256i* w = (const __m256i*)(block.weights + t * 32);
    low = _mm512_add_epi32(low, _mm512_madd_epi16(_mm512_unpacklo_epi16(x0, x1), twice(_mm256_loadu_si256(w))));
    high = _mm512_add_epi32(high, _mm512_madd_epi16(_mm512_unpackhi_epi16(x0, x1), twice(_mm256_loadu_si256(w + 1))));
  }
  const __m512i words = _mm512_packs_epi32(quantized(low, block.scaler[0], range), quantized(high, block.scaler[1], range));
  return _mm512_cvtepi16_epi8(words);
}

}  // namespace

extern "C" void kinglet_depthwise_conv2d_s8_x86_avx512bw(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights,
                                                         const int32_t* bias, const int32_t* mantissas, const int32_t* shifts,
                                                         int16_t* scratch, int8_t* y) {
  const kinglet_window& w = args->window;
  const int32_t channels = (args->in_c + 15) / 16 * 16, taps = w.kernel_h * w.kernel_w, pairs = (taps + 1) / 2;
  const int32_t height = (w.out_h - 1) * w.stride_h + w.kernel_h, width = (w.out_w - 1) * w.stride_w + w.kernel_w;
  pad_picture(*args, height, width, channels, x, scratch);
  int32_t offsets[kMaxTaps + 1];
  for (int32_t t = 0; t < taps; ++t) offsets[t] = (t / w.kernel_w * width + t % w.kernel_w) * channels;
  offsets[taps] = 0;  // the partner of an odd last tap, whose weight is zero
  const OutputRange range{_mm512_set1_epi32(args->out_zero), _mm512_set1_epi32(args->out_min - args->out_zero),
                          _mm512_set1_epi32(args->out_max - args->out_zero)};
  const int32_t step = w.stride_w * channels;
  for (int32_t oy = 0; oy < w.out_h; ++oy) {
    for (int32_t b = 0; b < channels / 16; ++b) {
      const Block block = load_block(b, pairs, weights, bias, mantissas, shifts);
      const int32_t left = args->out_c - b * 16;
      const __mmask16 stored = (__mmask16)(left >= 16 ? 0xFFFF : (1 << left) - 1);
      const int16_t* pixel = scratch + oy * w.stride_h * width * channels + b * 16;
      int8_t* out = y + oy * w.out_w * args->out_c + b * 16;
      for (int32_t ox = 0; ox < w.out_w; ox += 2) {
        const bool second = ox + 1 < w.out_w;  // an odd last pixel goes with itself
        const __m256i bytes = two_pixels(block, range, pixel + ox * step, second ? step : 0, offsets, pairs);
        _mm_mask_storeu_epi8(out + ox * args->out_c, stored, _mm256_castsi256_si128(bytes));
        if (second) _mm_mask_storeu_epi8(out + (ox + 1) * args->out_c, stored, _mm256_extracti128_si256(bytes, 1));
      }
    }
  }
}
