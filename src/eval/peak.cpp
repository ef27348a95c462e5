#include "eval/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

// Without the optimizer, or under a sanitizer, the loops below would measure the compiler and not the processor.
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#define KINGLET_MEASURES_PEAK 1
#include <immintrin.h>
#endif

namespace kinglet::eval {

#ifdef KINGLET_MEASURES_PEAK
namespace {

// Ten chains hide the latency of one. The empty assembly makes `a` unknown before each step, so that the compiler can
// neither hoist nor merge the products; it costs no instruction.
constexpr int kRounds = 200000, kChains = 10;

#define KINGLET_PEAK_LOOP(reg, type, zero, ones, step)                  \
  type a = ones, b = ones;                                              \
  type c[kChains];                                                      \
  for (auto& chain : c) chain = zero;                                   \
  for (int round = 0; round < kRounds; ++round) {                       \
    _Pragma("GCC unroll 10") for (int i = 0; i < kChains; ++i) {        \
      asm volatile("" : "+" reg(a));                                    \
      c[i] = step;                                                      \
    }                                                                   \
  }                                                                     \
  for (auto& chain : c) asm volatile("" : : reg(chain));

void s8_generic() { KINGLET_PEAK_LOOP("x", __m128i, _mm_setzero_si128(), _mm_set1_epi16(1), _mm_add_epi32(c[i], _mm_madd_epi16(a, b))) }

__attribute__((target("avx2"))) void s8_avx2() {
  KINGLET_PEAK_LOOP("x", __m256i, _mm256_setzero_si256(), _mm256_set1_epi16(1), _mm256_add_epi32(c[i], _mm256_madd_epi16(a, b)))
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) void s8_avx512vnni() {
  KINGLET_PEAK_LOOP("v", __m512i, _mm512_setzero_si512(), _mm512_set1_epi8(1), _mm512_dpbusd_epi32(c[i], a, b))
}

void f32_generic() { KINGLET_PEAK_LOOP("x", __m128, _mm_setzero_ps(), _mm_set1_ps(1.0f), _mm_add_ps(c[i], _mm_mul_ps(a, b))) }

__attribute__((target("avx2,fma"))) void f32_avx2() {
  KINGLET_PEAK_LOOP("x", __m256, _mm256_setzero_ps(), _mm256_set1_ps(1.0f), _mm256_fmadd_ps(a, b, c[i]))
}

__attribute__((target("avx512f"))) void f32_avx512() {
  KINGLET_PEAK_LOOP("v", __m512, _mm512_setzero_ps(), _mm512_set1_ps(1.0f), _mm512_fmadd_ps(a, b, c[i]))
}

struct Loop {
  void (*run)() = nullptr;
  int macs = 0;  ///< of one instruction
};

Loop loop_for(plan::Isa isa, DType dtype) {
  if (dtype != DType::s8 && dtype != DType::f32) return {};
  const bool s8 = dtype == DType::s8;
  switch (isa) {
    case plan::Isa::generic: return s8 ? Loop{s8_generic, 8} : Loop{f32_generic, 4};
    case plan::Isa::avx2: return s8 ? Loop{s8_avx2, 16} : Loop{f32_avx2, 8};
    case plan::Isa::avx512vnni: return s8 ? Loop{s8_avx512vnni, 64} : Loop{f32_avx512, 16};
  }
  return {};
}

double fastest_s(void (*run)(), int times) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

std::optional<double> peak_gmacs_per_s(plan::Isa isa, DType dtype) {
  const auto have = plan::available_isas();
  const Loop loop = loop_for(isa, dtype);
  if (!loop.run || std::find(have.begin(), have.end(), isa) == have.end()) return std::nullopt;
  return static_cast<double>(kRounds) * kChains * loop.macs / fastest_s(loop.run, 20) * 1e-9;
}
#else
std::optional<double> peak_gmacs_per_s(plan::Isa, DType) { return std::nullopt; }
#endif

}  // namespace kinglet::eval
