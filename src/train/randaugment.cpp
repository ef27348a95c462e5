#include "train/randaugment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "train/pixel_math.h"

namespace kinglet::train {

namespace {

using Table = std::array<uint8_t, 256>;

/// Nearest pixel of the affine (xx, xy, x0, yx, yy, y0), in 1/65536 of a pixel.
void move_pixels(Size size, std::span<uint8_t> pixels, const std::array<double, 6>& map) {
  const std::vector<uint8_t> in(pixels.begin(), pixels.end());
  std::array<int64_t, 6> m;
  for (size_t i = 0; i < 6; ++i) m[i] = std::llround(map[i] * 65536);
  const size_t c = static_cast<size_t>(size.channels);
  uint8_t* out = pixels.data();
  for (int y = 0; y < size.height; ++y) {
    int64_t sx = m[1] * y + m[2] + 32768, sy = m[4] * y + m[5] + 32768;
    for (int x = 0; x < size.width; ++x, sx += m[0], sy += m[3], out += c) {
      const int64_t fx = sx >> 16, fy = sy >> 16;
      const bool inside = fx >= 0 && fy >= 0 && fx < size.width && fy < size.height;
      const uint8_t* from = inside ? &in[(static_cast<size_t>(fy) * size.width + static_cast<size_t>(fx)) * c] : nullptr;
      for (size_t k = 0; k < c; ++k) out[k] = from ? from[k] : 0;
    }
  }
}

/// The linear part (a b; d e) about the picture's centre.
void move_about_centre(Size size, std::span<uint8_t> pixels, double a, double b, double d, double e) {
  const double cx = (size.width - 1) / 2.0, cy = (size.height - 1) / 2.0;
  move_pixels(size, pixels, {a, b, cx - a * cx - b * cy, d, e, cy - d * cx - e * cy});
}

void rotate(Size size, std::span<uint8_t> pixels, double degrees) {
  const double angle = degrees * 3.14159265358979323846 / 180;
  move_about_centre(size, pixels, std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle));
}

/// factor * pixel + (1 - factor) * what it is blended with.
uint8_t blend(double pixel, double other, double factor) { return to_byte(other + factor * (pixel - other)); }

/// Every pixel blended with the same value.
void blend_all(std::span<uint8_t> pixels, double other, double factor) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = blend(i, other, factor);
  for (uint8_t& p : pixels) p = table[p];
}

void recolor(Size size, std::span<uint8_t> pixels, double factor) {
  if (size.channels == 1) return;
  for (size_t i = 0; i < pixels.size(); i += 3) {
    const double gray = luma(&pixels[i], 3);
    for (size_t k = 0; k < 3; ++k) pixels[i + k] = blend(pixels[i + k], gray, factor);
  }
}

void change_contrast(Size size, std::span<uint8_t> pixels, double factor) {
  blend_all(pixels, luma_sum(pixels, size.channels) / double(pixels.size() / static_cast<size_t>(size.channels)), factor);
}

/// Blended with the 3x3 smoothing (1 1 1, 1 5 1, 1 1 1) / 13; the outermost pixels stay.
void sharpen(Size size, std::span<uint8_t> pixels, double factor) {
  const std::vector<uint8_t> in(pixels.begin(), pixels.end());
  const int row = size.width * size.channels, c = size.channels;
  for (int y = 1; y + 1 < size.height; ++y)
    for (int x = c; x < row - c; ++x) {
      const uint8_t* p = &in[static_cast<size_t>(y * row + x)];
      int sum = 4 * p[0];
      for (int dy : {-row, 0, row}) sum += p[dy - c] + p[dy] + p[dy + c];
      pixels[static_cast<size_t>(y * row + x)] = blend(p[0], sum / 13.0, factor);
    }
}

void posterize(std::span<uint8_t> pixels, int bits) {
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits));
  for (uint8_t& p : pixels) p &= mask;
}

void solarize(std::span<uint8_t> pixels, int threshold) {
  for (uint8_t& p : pixels)
    if (p >= threshold) p = static_cast<uint8_t>(255 - p);
}

void apply_table(Size size, std::span<uint8_t> pixels, int channel, const Table& table) {
  for (size_t i = static_cast<size_t>(channel); i < pixels.size(); i += static_cast<size_t>(size.channels)) pixels[i] = table[pixels[i]];
}

std::array<int, 256> histogram(Size size, std::span<const uint8_t> pixels, int channel) {
  std::array<int, 256> counts{};
  for (size_t i = static_cast<size_t>(channel); i < pixels.size(); i += static_cast<size_t>(size.channels)) ++counts[pixels[i]];
  return counts;
}

void stretch_contrast(Size size, std::span<uint8_t> pixels) {
  for (int channel = 0; channel < size.channels; ++channel) {
    const auto counts = histogram(size, pixels, channel);
    int low = 0, high = 255;
    while (low < 255 && counts[static_cast<size_t>(low)] == 0) ++low;
    while (high > low && counts[static_cast<size_t>(high)] == 0) --high;
    if (high <= low) continue;
    Table table;
    for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = to_byte(255.0 * (i - low) / (high - low));
    apply_table(size, pixels, channel, table);
  }
}

/// As PIL's ImageOps.equalize: the step leaves out the last occupied bin.
void equalize(Size size, std::span<uint8_t> pixels) {
  for (int channel = 0; channel < size.channels; ++channel) {
    const auto counts = histogram(size, pixels, channel);
    int last = 255, total = 0;
    while (last > 0 && counts[static_cast<size_t>(last)] == 0) --last;
    for (int n : counts) total += n;
    const int step = (total - counts[static_cast<size_t>(last)]) / 255;
    if (step == 0) continue;
    Table table;
    int sum = step / 2;
    for (size_t i = 0; i < 256; sum += counts[i++]) table[i] = static_cast<uint8_t>(std::min(sum / step, 255));
    apply_table(size, pixels, channel, table);
  }
}

}  // namespace

void apply_policy_operation(int operation, double s, Size size, std::span<uint8_t> pixels) {
  const double strong = std::fabs(s);
  switch (operation) {
    case 0: return;
    case 1: return move_about_centre(size, pixels, 1, 0.3 * s, 0, 1);
    case 2: return move_about_centre(size, pixels, 1, 0, 0.3 * s, 1);
    case 3: return move_pixels(size, pixels, {1, 0, std::round(s * size.width * 150 / 331), 0, 1, 0});
    case 4: return move_pixels(size, pixels, {1, 0, 0, 0, 1, std::round(s * size.height * 150 / 331)});
    case 5: return rotate(size, pixels, 30 * s);
    case 6: return blend_all(pixels, 0, 1 + 0.9 * s);
    case 7: return recolor(size, pixels, 1 + 0.9 * s);
    case 8: return change_contrast(size, pixels, 1 + 0.9 * s);
    case 9: return sharpen(size, pixels, 1 + 0.9 * s);
    case 10: return posterize(pixels, 8 - static_cast<int>(std::lround(4 * strong)));
    case 11: return solarize(pixels, static_cast<int>(std::lround(255 - 255 * strong)));
    case 12: return stretch_contrast(size, pixels);
    case 13: return equalize(size, pixels);
    default: KINGLET_CHECK(false, "no such policy operation");
  }
}

void apply_randaugment(const RandAugment& policy, Size size, std::span<uint8_t> pixels, const DrawKey& key) {
  if (policy.operations == 0) return;
  RandomStream random(key.seed, key.epoch, key.picture, Purpose::policy);
  for (int i = 0; i < policy.operations; ++i) {
    const int operation = static_cast<int>(random.below(kPolicyOperations));
    const double sign = random.below(2) == 0 ? 1 : -1;
    apply_policy_operation(operation, sign * policy.magnitude / 30, size, pixels);
  }
}

}  // namespace kinglet::train
