// int8 product, eight at a time where both inputs move by one.
#include "kernels/requantize.h"
#include "kernels/x86_avx2.h"
#include "kernels/x86_broadcast.h"

namespace {

inline int8_t one(const kinglet_mul_s8_args& args, int32_t a, int32_t b) {
  const int32_t product = (a - args.zero_a) * (b - args.zero_b);
  return kinglet_quantized(kinglet_requantize(product, args.multiplier), args.out_zero, args.out_min, args.out_max);
}

inline __m256i centred(const int8_t* x, __m256i zero) {
  return _mm256_sub_epi32(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)x)), zero);
}

// n outputs of inputs that both move by one; returns how many were done.
int32_t contiguous(const kinglet_mul_s8_args& args, const int8_t* a, const int8_t* b, int32_t n, int8_t* y) {
  const __m256i zero_a = _mm256_set1_epi32(args.zero_a), zero_b = _mm256_set1_epi32(args.zero_b);
  const Scaler scaler = same_scaler(args.multiplier);
  const OutputRange range = output_range(args.out_zero, args.out_min, args.out_max);
  int32_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i product = _mm256_mullo_epi32(centred(a + i, zero_a), centred(b + i, zero_b));
    store_bytes(y + i, narrow(quantized(requantize(product, scaler), range)), 8);
  }
  return i;
}

}  // namespace

extern "C" void kinglet_mul_s8_x86_avx2(const kinglet_mul_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  for_each_row(
      args->shape, a, b, y, [&](const int8_t* row_a, const int8_t* row_b, int32_t n, int8_t* out) { return contiguous(*args, row_a, row_b, n, out); },
      [&](int32_t p, int32_t q) { return one(*args, p, q); });
}
