/* Sixteen requantizations at once, equal to kinglet_requantize to the bit. Only for files compiled with -mavx512f and -mavx512bw. */
#ifndef KINGLET_X86_AVX512_H
#define KINGLET_X86_AVX512_H

#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

/* Multipliers of sixteen outputs, spread as the instructions want them. */
struct Scaler {
  __m512i even, odd, left, right, mask, half;
};

inline Scaler make_scaler(__m512i mantissa, __m512i shift) {
  const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
  Scaler s;
  s.even = mantissa;
  s.odd = _mm512_srli_epi64(s.even, 32);
  s.left = _mm512_max_epi32(shift, zero);
  s.right = _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero);
  s.mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, s.right), one);
  s.half = _mm512_srli_epi32(s.mask, 1);
  return s;
}

/* Equal to kinglet_requantize to the bit. */
inline __m512i requantize(__m512i x, const Scaler& s) {
  const __m512i nudge = _mm512_set1_epi64((int64_t)1 << 30);
  x = _mm512_sllv_epi32(x, s.left);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, s.even), nudge);
  const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), s.odd), nudge);
  const __m512i high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i threshold = _mm512_sub_epi32(s.half, _mm512_srai_epi32(high, 31));
  const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, s.mask), threshold);
  const __m512i shifted = _mm512_srav_epi32(high, s.right);
  return _mm512_mask_add_epi32(shifted, up, shifted, _mm512_set1_epi32(1));
}

}  // namespace

#endif
