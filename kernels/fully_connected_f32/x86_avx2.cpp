// float fully connected with fused multiply-add; weights OI as they are.
#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

inline float horizontal_sum(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  s = _mm_add_ss(s, _mm_shuffle_ps(s, s, 1));
  return _mm_cvtss_f32(s);
}

inline float dot(const float* x, const float* w, int32_t n) {
  __m256 sum = _mm256_setzero_ps(), sum2 = _mm256_setzero_ps();
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) {
    sum = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(w + i), sum);
    sum2 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(w + i + 8), sum2);
  }
  float total = horizontal_sum(_mm256_add_ps(sum, sum2));
  for (; i < n; ++i) total += x[i] * w[i];
  return total;
}

}  // namespace

extern "C" void kinglet_fully_connected_f32_x86_avx2(const kinglet_fully_connected_f32_args* args, const float* x, const float* weights,
                                                     const float* bias, float* y) {
  for (int32_t o = 0; o < args->out_n; ++o) {
    const float sum = dot(x, weights + (int64_t)o * args->in_n, args->in_n) + bias[o];
    y[o] = sum < args->out_min ? args->out_min : sum > args->out_max ? args->out_max : sum;
  }
}
