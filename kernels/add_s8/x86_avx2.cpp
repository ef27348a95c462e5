// int8 addition, eight at a time where both inputs move by one.
#include "kernels/requantize.h"
#include "kernels/x86_avx2.h"

namespace {

struct Operand {
  __m256i zero, left_shift;
  Scaler scaler;
};

inline Scaler same_scaler(kinglet_multiplier m) { return make_scaler(_mm256_set1_epi32(m.mantissa), _mm256_set1_epi32(m.shift)); }

inline __m256i scaled(const int8_t* x, const Operand& op) {
  const __m256i wide = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)x));
  return requantize(_mm256_sllv_epi32(_mm256_sub_epi32(wide, op.zero), op.left_shift), op.scaler);
}

inline int8_t one(const kinglet_add_s8_args& args, int32_t a, int32_t b) {
  const int32_t unit = 1 << args.left_shift;
  const int32_t sum = kinglet_requantize((a - args.zero_a) * unit, args.multiplier_a) + kinglet_requantize((b - args.zero_b) * unit, args.multiplier_b);
  return kinglet_quantized(kinglet_requantize(sum, args.multiplier_out), args.out_zero, args.out_min, args.out_max);
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
  const kinglet_broadcast& s = args->shape;
  const bool together = s.step_a[3] == 1 && s.step_b[3] == 1;
  for (int32_t i = 0; i < s.size[0]; ++i) {
    for (int32_t j = 0; j < s.size[1]; ++j) {
      for (int32_t k = 0; k < s.size[2]; ++k, y += s.size[3]) {
        const int8_t* row_a = a + i * s.step_a[0] + j * s.step_a[1] + k * s.step_a[2];
        const int8_t* row_b = b + i * s.step_b[0] + j * s.step_b[1] + k * s.step_b[2];
        for (int32_t l = together ? contiguous(*args, row_a, row_b, s.size[3], y) : 0; l < s.size[3]; ++l)
          y[l] = one(*args, row_a[l * s.step_a[3]], row_b[l * s.step_b[3]]);
      }
    }
  }
}
