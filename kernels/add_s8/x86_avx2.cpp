// int8 addition, eight at a time where both inputs move by one.
#include "kernels/add_s8/x86_one.h"
#include "kernels/x86_avx2.h"
#include "kernels/x86_broadcast.h"

namespace {

struct Operand {
  __m256i zero, left_shift;
  Scaler scaler;
};

inline __m256i scaled(const int8_t* x, const Operand& op) {
  const __m256i wide = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)x));
  return requantize(_mm256_sllv_epi32(_mm256_sub_epi32(wide, op.zero), op.left_shift), op.scaler);
}

// n outputs of inputs that both move by one; returns how many were done.
int32_t contiguous(const kinglet_add_s8_args& args, const int8_t* a, const int8_t* b, int32_t n, int8_t* y) {
  const __m256i left_shift = _mm256_set1_epi32(args.left_shift);
  const Operand op_a{_mm256_set1_epi32(args.zero_a), left_shift, same_scaler(args.multiplier_a)};
  const Operand op_b{_mm256_set1_epi32(args.zero_b), left_shift, same_scaler(args.multiplier_b)};
  const Scaler out = same_scaler(args.multiplier_out);
  const OutputRange range = output_range(args.out_zero, args.out_min, args.out_max);
  int32_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i sum = requantize(_mm256_add_epi32(scaled(a + i, op_a), scaled(b + i, op_b)), out);
    store_bytes(y + i, narrow(quantized(sum, range)), 8);
  }
  return i;
}

}  // namespace

extern "C" void kinglet_add_s8_x86_avx2(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y) {
  for_each_row(
      args->shape, a, b, y, [&](const int8_t* row_a, const int8_t* row_b, int32_t n, int8_t* out) { return contiguous(*args, row_a, row_b, n, out); },
      [&](int32_t p, int32_t q) { return one(*args, p, q); });
}
