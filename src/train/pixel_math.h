// What the augmentations share on bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace kinglet::train {

/// Rounded, and clamped to a byte.
inline uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

/// Rec. 601 luma of an RGB pixel; a gray one is its own.
inline double luma(const uint8_t* p, int channels) { return channels == 1 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]; }

/// Of all pixels (HWC).
inline double luma_sum(std::span<const uint8_t> pixels, int channels) {
  double sum = 0;
  for (size_t i = 0; i < pixels.size(); i += static_cast<size_t>(channels)) sum += luma(&pixels[i], channels);
  return sum;
}

}  // namespace kinglet::train
