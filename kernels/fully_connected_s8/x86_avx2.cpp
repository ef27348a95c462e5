// int8 fully connected with 16-bit multiply-add pairs; weights OI as they are.
#include "kernels/requantize.h"
#include "kernels/x86_avx2.h"

namespace {

inline int32_t horizontal_sum(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
  return _mm_cvtsi128_si32(s);
}

// Sum of (x - zero) * w.
inline int32_t dot(const int8_t* x, const int8_t* w, int32_t n, int32_t zero) {
  const __m256i zeros = _mm256_set1_epi16((int16_t)zero);
  __m256i sum = _mm256_setzero_si256();
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256i wide_x = _mm256_sub_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)(x + i))), zeros);
    const __m256i wide_w = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)(w + i)));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide_x, wide_w));
  }
  int32_t total = horizontal_sum(sum);
  for (; i < n; ++i) total = kinglet_multiply_add(total, x[i] - zero, w[i]);
  return total;
}

}  // namespace

extern "C" void kinglet_fully_connected_s8_x86_avx2(const kinglet_fully_connected_s8_args* args, const int8_t* x, const int8_t* weights,
                                                    const int32_t* bias, const kinglet_multiplier* multipliers, int8_t* y) {
  int32_t inputs = 0;
  if (args->weight_zero)
    for (int32_t i = 0; i < args->in_n; ++i) inputs += x[i] - args->in_zero;
  const int32_t offset = kinglet_multiply_add(0, -args->weight_zero, inputs);
  for (int32_t o = 0; o < args->out_n; ++o) {
    const kinglet_multiplier m = multipliers[o * args->multiplier_step];
    const int32_t sum = kinglet_multiply_add(kinglet_multiply_add(bias[o], 1, offset), 1, dot(x, weights + (int64_t)o * args->in_n, args->in_n, args->in_zero));
    const int32_t scaled = args->round_once ? kinglet_requantize_once(sum, m) : kinglet_requantize(sum, m);
    y[o] = kinglet_quantized(scaled, args->out_zero, args->out_min, args->out_max);
  }
}
