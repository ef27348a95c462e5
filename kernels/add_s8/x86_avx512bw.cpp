// int8 addition, sixteen at a time where both inputs move by one.
#include "kernels/add_s8/x86_one.h"
#include "kernels/x86_avx512.h"
#include "kernels/x86_broadcast.h"

namespace {

// One multiplier for all sixteen lanes, after a shift of the input.
inline Scaler same_scaler(kinglet_multiplier m, int32_t extra_left) {
  Scaler s = make_scaler(_mm512_set1_epi32(m.mantissa), _mm512_set1_epi32(m.shift));
  s.left = _mm512_add_epi32(s.left, _mm512_set1_epi32(extra_left));
  return s;
}

inline __m512i scaled(const int8_t* x, __mmask16 some, __m512i zero, const Scaler& s) {
  return requantize(_mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(some, x)), zero), s);
}

// n outputs of inputs that both move by one; returns n.
int32_t contiguous(const kinglet_add_s8_args& args, const int8_t* a, const int8_t* b, int32_t n, int8_t* y) {
  const Scaler scaler_a = same_scaler(args.multiplier_a, args.left_shift), scaler_b = same_scaler(args.multiplier_b, args.left_shift);
  const Scaler out = same_scaler(args.multiplier_out, 0);
  const __m512i zero_a = _mm512_set1_epi32(args.zero_a), zero_b = _mm512_set1_epi32(args.zero_b), zero = _mm512_set1_epi32(args.out_zero);
  const __m512i min = _mm512_set1_epi32(args.out_min - args.out_zero), max = _mm512_set1_epi32(args.out_max - args.out_zero);
  for (int32_t i = 0; i < n; i += 16) {
    const __mmask16 some = (__mmask16)(n - i >= 16 ? 0xFFFF : (1 << (n - i)) - 1);
    const __m512i sum = _mm512_add_epi32(scaled(a + i, some, zero_a, scaler_a), scaled(b + i, some, zero_b, scaler_b));
    const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(requantize(sum, out), min), max);
    _mm512_mask_cvtepi32_storeu_epi8(y + i, some, _mm512_add_epi32(clamped, zero));
  }
  return n;
}

}  // namespace

extern "C" void kinglet_add_s8_x86_avx512bw(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  for_each_row(
      args->shape, a, b, y, [&](const int8_t* row_a, const int8_t* row_b, int32_t n, int8_t* out) { return contiguous(*args, row_a, row_b, n, out); },
      [&](int32_t p, int32_t q) { return one(*args, p, q); });
}
