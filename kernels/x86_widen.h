/* Only for files compiled with -mavx2 or more. */
#ifndef KINGLET_X86_WIDEN_H
#define KINGLET_X86_WIDEN_H

#include <immintrin.h>
#include <stdint.h>

namespace {

/* n values as x - zero point in int16. */
inline void widen(const int8_t* x, int32_t n, int32_t zero, int16_t* y) {
  const __m256i zeros = _mm256_set1_epi16((int16_t)zero);
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)(x + i)));
    _mm256_storeu_si256((__m256i*)(y + i), _mm256_sub_epi16(wide, zeros));
  }
  for (; i < n; ++i) y[i] = (int16_t)(x[i] - zero);
}

inline void clear(int16_t* y, int32_t n) {
  for (int32_t i = 0; i < n; ++i) y[i] = 0;
}

}  // namespace

#endif
