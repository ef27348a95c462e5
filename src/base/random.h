// Randomness as a hash of its purpose (counter-based), so neither order nor threads nor a resume changes a draw.
#pragma once

#include <cstdint>

namespace kinglet {

/// SplitMix64's finalizer (Steele, Lea, Flood 2014).
uint64_t mix64(uint64_t z);

/// What a number is drawn for; part of the key, so that two uses never share a stream.
enum class Purpose : uint64_t { init = 1, shuffle, crop, flip, color, cutout, mixup, dropout, split, calibration, draw, resample, policy };

/// A stream keyed by (seed, epoch, item, purpose); next draws depend on the key and their position only.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t epoch, uint64_t item, Purpose purpose);
  uint64_t bits();
  double uniform();                        ///< [0, 1) with 53 bits
  double uniform(double low, double high);
  uint64_t below(uint64_t n);              ///< 0 .. n-1, unbiased; n > 0
  double normal();                         ///< mean 0, deviation 1 (Box and Muller 1958)

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace kinglet
