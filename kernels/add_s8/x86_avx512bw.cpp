// int8 addition, sixteen at a time where both inputs move by one.
#include <immintrin.h>

#include "kernels/requantize.h"
#include "kernels/kernels.h"

namespace {

// One multiplier for all sixteen lanes.
struct Scaler {
  __m512i mantissa, left, right, mask, half;
};

inline Scaler make_scaler(kinglet_multiplier m, int32_t extra_left) {
  const int32_t right = m.shift > 0 ? 0 : -m.shift;
  const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
  return {_mm512_set1_epi32(m.mantissa), _mm512_set1_epi32((m.shift > 0 ? m.shift : 0) + extra_left), _mm512_set1_epi32(right),
          _mm512_set1_epi32(mask), _mm512_set1_epi32(mask >> 1)};
}

// Equal to kinglet_requantize to the bit.
inline __m512i requantize(__m512i x, const Scaler& s) {
  const __m512i nudge = _mm512_set1_epi64((int64_t)1 << 30);
  x = _mm512_sllv_epi32(x, s.left);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, s.mantissa), nudge);
  const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), s.mantissa), nudge);
  const __m512i high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i threshold = _mm512_sub_epi32(s.half, _mm512_srai_epi32(high, 31));
  const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, s.mask), threshold);
  const __m512i shifted = _mm512_srav_epi32(high, s.right);
  return _mm512_mask_add_epi32(shifted, up, shifted, _mm512_set1_epi32(1));
}

inline __m512i scaled(const int8_t* x, __mmask16 some, __m512i zero, const Scaler& s) {
  return requantize(_mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(some, x)), zero), s);
}

void contiguous(const kinglet_add_s8_args& args, const int8_t* a, const int8_t* b, int32_t n, int8_t* y) {
  const Scaler scaler_a = make_scaler(args.multiplier_a, args.left_shift), scaler_b = make_scaler(args.multiplier_b, args.left_shift);
  const Scaler out = make_scaler(args.multiplier_out, 0);
  const __m512i zero_a = _mm512_set1_epi32(args.zero_a), zero_b = _mm512_set1_epi32(args.zero_b), zero = _mm512_set1_epi32(args.out_zero);
  const __m512i min = _mm512_set1_epi32(args.out_min - args.out_zero), max = _mm512_set1_epi32(args.out_max - args.out_zero);
  for (int32_t i = 0; i < n; i += 16) {
    const __mmask16 some = (__mmask16)(n - i >= 16 ? 0xFFFF : (1 << (n - i)) - 1);
    const __m512i sum = _mm512_add_epi32(scaled(a + i, some, zero_a, scaler_a), scaled(b + i, some, zero_b, scaler_b));
    const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(requantize(sum, out), min), max);
    _mm512_mask_cvtepi32_storeu_epi8(y + i, some, _mm512_add_epi32(clamped, zero));
  }
}

inline int8_t one(const kinglet_add_s8_args& args, int32_t a, int32_t b) {
  const int32_t unit = 1 << args.left_shift;
  const int32_t sum = kinglet_requantize((a - args.zero_a) * unit, args.multiplier_a) + kinglet_requantize((b - args.zero_b) * unit, args.multiplier_b);
  return kinglet_quantized(kinglet_requantize(sum, args.multiplier_out), args.out_zero, args.out_min, args.out_max);
}

}  // namespace

extern "C" void kinglet_add_s8_x86_avx512bw(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  const kinglet_broadcast& s = args->shape;
  const bool together = s.step_a[3] == 1 && s.step_b[3] == 1;
  for (int32_t i = 0; i < s.size[0]; ++i) {
    for (int32_t j = 0; j < s.size[1]; ++j) {
      for (int32_t k = 0; k < s.size[2]; ++k, y += s.size[3]) {
        const int8_t* row_a = a + i * s.step_a[0] + j * s.step_a[1] + k * s.step_a[2];
        const int8_t* row_b = b + i * s.step_b[0] + j * s.step_b[1] + k * s.step_b[2];
        if (together) contiguous(*args, row_a, row_b, s.size[3], y);
        else
          for (int32_t l = 0; l < s.size[3]; ++l) y[l] = one(*args, row_a[l * s.step_a[3]], row_b[l * s.step_b[3]]);
      }
    }
  }
}
