#include "base/random.h"

#include <cmath>

namespace kinglet {

namespace {
constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;
}

uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

RandomStream::RandomStream(uint64_t seed, uint64_t epoch, uint64_t item, Purpose purpose)
    : key_(mix64(mix64(mix64(mix64(seed + kStep) + epoch + kStep) + item + kStep) + static_cast<uint64_t>(purpose) + kStep)) {}

uint64_t RandomStream::bits() { return mix64(key_ + ++counter_ * kStep); }
double RandomStream::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

uint64_t RandomStream::below(uint64_t n) {
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t draw = bits();
  while (draw >= limit) draw = bits();
  return draw % n;
}

double RandomStream::normal() {
  const double u = 1.0 - uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * 3.14159265358979323846 * uniform());
}

}  // namespace kinglet
