#include "peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kinglet::bench {

namespace {

constexpr int kRounds = 200000, kChains = 12;

#if defined(__x86_64__)

// The empty asm keeps each chain in its register and the loop from being folded away.
__attribute__((target("avx512f,avx512vnni"))) double run_avx512vnni() {
  __m512i sum[kChains], x = _mm512_set1_epi8(3);
  for (auto& s : sum) s = _mm512_set1_epi32(1);
  for (int r = 0; r < kRounds; ++r)
    for (auto& s : sum) {
      s = _mm512_dpbusd_epi32(s, x, x);
      __asm__ volatile("" : "+v"(s));
    }
  return 64.0 * kRounds * kChains;
}

__attribute__((target("avx2"))) double run_avx2() {
  __m256i sum[kChains], x = _mm256_set1_epi16(3);
  for (auto& s : sum) s = _mm256_set1_epi32(1);
  for (int r = 0; r < kRounds; ++r)
    for (auto& s : sum) {
      __m256i y = x;
      __asm__ volatile("" : "+x"(y));
      s = _mm256_add_epi32(s, _mm256_madd_epi16(y, x));
      __asm__ volatile("" : "+x"(s));
    }
  return 16.0 * kRounds * kChains;
}

__attribute__((target("avx2,fma"))) double run_fma() {
  __m256 sum[kChains], x = _mm256_set1_ps(0.5f);
  for (auto& s : sum) s = _mm256_set1_ps(1.0f);
  for (int r = 0; r < kRounds; ++r)
    for (auto& s : sum) {
      s = _mm256_fmadd_ps(x, x, s);
      __asm__ volatile("" : "+x"(s));
    }
  return 8.0 * kRounds * kChains;
}

#endif

double run_scalar() {
  int32_t sum[kChains] = {}, x = 3;
  for (int r = 0; r < kRounds; ++r)
    for (auto& s : sum) {
      int32_t y = x;
      __asm__ volatile("" : "+r"(y));
      s += y * x;
      __asm__ volatile("" : "+r"(s));
    }
  return 1.0 * kRounds * kChains;
}

template <class Run>
double best_of_ten(Run run) {
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double macs = run();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, macs / seconds.count());
  }
  return best;
}

}  // namespace

double peak_macs_per_s(plan::Isa isa, bool is_float) {
#if defined(__x86_64__)
  if (isa != plan::Isa::generic && is_float) return best_of_ten(run_fma);
  if (isa == plan::Isa::avx512vnni) return best_of_ten(run_avx512vnni);
  if (isa == plan::Isa::avx2) return best_of_ten(run_avx2);
#else
  (void)isa, (void)is_float;
#endif
  return best_of_ten(run_scalar);
}

}  // namespace kinglet::bench
