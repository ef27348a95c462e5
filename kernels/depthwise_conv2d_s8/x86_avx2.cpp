// int8 depthwise convolution, multiplier 1, dilation 1, at most 64 taps. The picture is first widened to x - zero point in a
// padded copy whose channels are rounded up to 16. Taps are taken two at a time through 16-bit multiply-add: weights are
// [block of 16 channels][pair of taps][2 halves][16] int16 in the order that unpacking gives, bias, mantissas and shifts
// [block][2 halves][8] likewise (channels 0-3 and 8-11, then 4-7 and 12-15).
#include "kernels/x86_avx2.h"
#include "kernels/x86_depthwise.h"

namespace {

struct Block {
  const int16_t* weights;
  __m256i bias[2];
  Scaler scaler[2];
};

inline Block load_block(int32_t b, int32_t pairs, const int16_t* weights, const int32_t* bias, const int32_t* mantissas,
                        const int32_t* shifts) {
  Block block;
  block.weights = weights + b * pairs * 32;
  for (int half = 0; half < 2; ++half) {
    const int32_t at = b * 16 + half * 8;
    block.bias[half] = _mm256_loadu_si256((const __m256i*)(bias + at));
    block.scaler[half] = load_scaler(mantissas + at, shifts + at);
  }
  return block;
}

// Sixteen int8 of one output pixel.
inline __m128i sixteen(const kinglet_conv2d_s8_args& args, const Block& block, const int16_t* pixel, const int32_t* offsets, int32_t pairs) {
  __m256i low = block.bias[0], high = block.bias[1];
  for (int32_t t = 0; t < pairs; ++t) {
    const __m256i x0 = _mm256_loadu_si256((const __m256i*)(pixel + offsets[2 * t]));
    const __m256i x1 = _mm256_loadu_si256((const __m256i*)(pixel + offsets[2 * t + 1]));
    const __m256i* w = (const __m256i*)(block.weights + t * 32);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(x0, x1), _mm256_loadu_si256(w)));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(x0, x1), _mm256_loadu_si256(w + 1)));
  }
  const OutputRange range = output_range(args.out_zero, args.out_min, args.out_max);
  low = quantized(requantize(low, block.scaler[0]), range);
  high = quantized(requantize(high, block.scaler[1]), range);
  const __m256i words = _mm256_packs_epi32(low, high);
  return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

inline void store(int8_t* y, __m128i bytes, int32_t n) {
  if (n >= 16) {
    _mm_storeu_si128((__m128i*)y, bytes);
    return;
  }
  alignas(16) int8_t tail[16];
  _mm_store_si128((__m128i*)tail, bytes);
  for (int32_t i = 0; i < n; ++i) y[i] = tail[i];
}

}  // namespace

extern "C" void kinglet_depthwise_conv2d_s8_x86_avx2(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights,
                                                     const int32_t* bias, const int32_t* mantissas, const int32_t* shifts,
                                                     int16_t* scratch, int8_t* y) {
  const kinglet_window& w = args->window;
  const int32_t channels = (args->in_c + 15) / 16 * 16, taps = w.kernel_h * w.kernel_w, pairs = (taps + 1) / 2;
  const int32_t height = (w.out_h - 1) * w.stride_h + w.kernel_h, width = (w.out_w - 1) * w.stride_w + w.kernel_w;
  pad_picture(*args, height, width, channels, x, scratch);
  int32_t offsets[kMaxTaps + 1];
  for (int32_t t = 0; t < taps; ++t) offsets[t] = (t / w.kernel_w * width + t % w.kernel_w) * channels;
  offsets[taps] = 0;  // the partner of an odd last tap, whose weight is zero
  // Row by row, so that a window's rows stay in the cache while all their channels are used.
  for (int32_t oy = 0; oy < w.out_h; ++oy) {
    for (int32_t b = 0; b < channels / 16; ++b) {
      const Block block = load_block(b, pairs, weights, bias, mantissas, shifts);
      for (int32_t ox = 0; ox < w.out_w; ++ox) {
        const int16_t* pixel = scratch + (oy * w.stride_h * width + ox * w.stride_w) * channels + b * 16;
        store(y + (oy * w.out_w + ox) * args->out_c + b * 16, sixteen(*args, block, pixel, offsets, pairs), args->out_c - b * 16);
      }
    }
  }
}
