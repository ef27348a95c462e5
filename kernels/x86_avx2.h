/* Eight requantizations at once, equal to kinglet_requantize to the bit. Only for files compiled with -mavx2. */
#ifndef KINGLET_X86_AVX2_H
#define KINGLET_X86_AVX2_H

#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

/* Multipliers of eight outputs, spread as the instructions want them. */
struct Scaler {
  __m256i even, odd, left, right, mask, half;
};

inline Scaler make_scaler(__m256i mantissa, __m256i shift) {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  Scaler s;
  s.even = mantissa;
  s.odd = _mm256_srli_epi64(mantissa, 32);
  s.left = _mm256_max_epi32(shift, zero);
  s.right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
  s.mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, s.right), one);
  s.half = _mm256_srli_epi32(s.mask, 1);
  return s;
}

inline Scaler load_scaler(const int32_t* mantissas, const int32_t* shifts) {
  return make_scaler(_mm256_loadu_si256((const __m256i*)mantissas), _mm256_loadu_si256((const __m256i*)shifts));
}

/* One multiplier for all eight. */
inline Scaler same_scaler(kinglet_multiplier m) { return make_scaler(_mm256_set1_epi32(m.mantissa), _mm256_set1_epi32(m.shift)); }

inline __m256i requantize(__m256i x, const Scaler& s) {
  const __m256i nudge = _mm256_set1_epi64x((int64_t)1 << 30);
  x = _mm256_sllv_epi32(x, s.left);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, s.even), nudge);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), s.odd), nudge);
  /* Bits 31..62 of each product, back in their places. */
  const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  const __m256i remainder = _mm256_and_si256(high, s.mask);
  const __m256i threshold = _mm256_sub_epi32(s.half, _mm256_srai_epi32(high, 31));
  return _mm256_sub_epi32(_mm256_srav_epi32(high, s.right), _mm256_cmpgt_epi32(remainder, threshold));
}

/* As kinglet_quantized: clamped before the zero point is added. */
struct OutputRange {
  __m256i zero, min, max;
};

inline OutputRange output_range(int32_t zero, int32_t min, int32_t max) {
  return {_mm256_set1_epi32(zero), _mm256_set1_epi32(min - zero), _mm256_set1_epi32(max - zero)};
}

inline __m256i quantized(__m256i scaled, const OutputRange& range) {
  return _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(scaled, range.min), range.max), range.zero);
}

/* The low bytes of eight int32 that are already within -128..127. */
inline __m128i narrow(__m256i x) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  return _mm_packs_epi16(words, words);
}

inline void store_bytes(int8_t* y, __m128i bytes, int32_t n) {
  if (n >= 8) {
    _mm_storel_epi64((__m128i*)y, bytes);
    return;
  }
  alignas(16) int8_t tail[16];
  _mm_store_si128((__m128i*)tail, bytes);
  for (int32_t i = 0; i < n; ++i) y[i] = tail[i];
}

}  // namespace

#endif
