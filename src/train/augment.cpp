#include "train/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "train/pixel_math.h"

namespace kinglet::train {

namespace {

RandomStream stream(const DrawKey& key, Purpose purpose) { return RandomStream(key.seed, key.epoch, key.picture, purpose); }

int shift(RandomStream& random, int most) { return most > 0 ? static_cast<int>(random.below(2 * static_cast<uint64_t>(most) + 1)) - most : 0; }

void copy_shifted(Size size, std::span<const uint8_t> in, std::span<uint8_t> out, int dy, int dx, bool mirrored) {
  const int c = size.channels;
  for (int y = 0; y < size.height; ++y) {
    uint8_t* row = &out[static_cast<size_t>(y) * size.width * c];
    const int from_y = y + dy;
    if (from_y < 0 || from_y >= size.height) {
      std::fill_n(row, static_cast<size_t>(size.width) * c, uint8_t{0});
      continue;
    }
    const uint8_t* source = &in[static_cast<size_t>(from_y) * size.width * c];
    for (int x = 0; x < size.width; ++x) {
      const int shifted = x + dx, from_x = mirrored ? size.width - 1 - shifted : shifted;
      const bool inside = from_x >= 0 && from_x < size.width;
      for (int k = 0; k < c; ++k) row[x * c + k] = inside ? source[from_x * c + k] : 0;
    }
  }
}

/// Where a pixel of the result comes from: (x, y) -> (xx x + xy y + x0, yx x + yy y + y0).
struct Warp {
  double xx, xy, x0, yx, yy, y0;
};

uint8_t sample(Size size, std::span<const uint8_t> in, double x, double y, int k) {
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const double fx = x - left, fy = y - top;
  const auto at = [&](int yy, int xx) -> double {
    if (yy < 0 || xx < 0 || yy >= size.height || xx >= size.width) return 0.0;
    return in[(static_cast<size_t>(yy) * size.width + xx) * size.channels + k];
  };
  const double upper = at(top, left) * (1 - fx) + at(top, left + 1) * fx;
  const double lower = at(top + 1, left) * (1 - fx) + at(top + 1, left + 1) * fx;
  return static_cast<uint8_t>(upper * (1 - fy) + lower * fy + 0.5);
}

void warp_bilinear(Size size, std::span<const uint8_t> in, std::span<uint8_t> out, const Warp& warp) {
  size_t at = 0;
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int k = 0; k < size.channels; ++k)
        out[at++] = sample(size, in, warp.xx * x + warp.xy * y + warp.x0, warp.yx * x + warp.yy * y + warp.y0, k);
}

/// Rotation and zoom about the centre after mirroring, then the shift.
Warp make_warp(Size size, double degrees, double zoom, int dy, int dx, bool mirrored) {
  const double angle = degrees * 3.14159265358979323846 / 180, cx = (size.width - 1) / 2.0, cy = (size.height - 1) / 2.0;
  const double cosine = std::cos(angle) / zoom, sine = std::sin(angle) / zoom, side = mirrored ? -1.0 : 1.0;
  Warp warp{side * cosine, side * -sine, 0, sine, cosine, 0};
  warp.x0 = cx - warp.xx * (cx - dx) - warp.xy * (cy - dy);
  warp.y0 = cy - warp.yx * (cx - dx) - warp.yy * (cy - dy);
  return warp;
}

double factor(RandomStream& random, double spread) { return 1 + spread * (2 * random.uniform() - 1); }

void jitter(const Augment& augment, Size size, std::span<uint8_t> pixels, const DrawKey& key) {
  auto random = stream(key, Purpose::color);
  const double bright = factor(random, augment.brightness), contrast = factor(random, augment.contrast), saturation = factor(random, augment.saturation);
  const size_t c = static_cast<size_t>(size.channels);
  const double mean = bright * luma_sum(pixels, size.channels) / double(pixels.size() / c);
  for (size_t i = 0; i < pixels.size(); i += c) {
    const double gray = bright * luma(&pixels[i], size.channels);
    for (size_t k = 0; k < c; ++k) {
      const double colored = gray + saturation * (bright * pixels[i + k] - gray);
      pixels[i + k] = to_byte(mean + contrast * (colored - mean));
    }
  }
}

void cut_out(const Augment& augment, Size size, std::span<uint8_t> pixels, const DrawKey& key) {
  auto random = stream(key, Purpose::cutout);
  const int cy = static_cast<int>(random.below(static_cast<uint64_t>(size.height))), cx = static_cast<int>(random.below(static_cast<uint64_t>(size.width)));
  const int top = std::max(0, cy - augment.cutout / 2), bottom = std::min(size.height, cy - augment.cutout / 2 + augment.cutout);
  const int left = std::max(0, cx - augment.cutout / 2), right = std::min(size.width, cx - augment.cutout / 2 + augment.cutout);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x)
      std::fill_n(&pixels[(static_cast<size_t>(y) * size.width + x) * size.channels], size.channels, uint8_t{128});
}

/// Gamma(shape, 1) by squeezing a cubed normal (Marsaglia and Tsang 2000).
double draw_gamma(RandomStream& random, double shape) {
  if (shape < 1) return draw_gamma(random, shape + 1) * std::pow(1 - random.uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double draw_beta(RandomStream& random, double alpha) {
  const double a = draw_gamma(random, alpha), b = draw_gamma(random, alpha);
  return a + b > 0 ? a / (a + b) : 1.0;
}

void blend_rows(double keep, std::span<float> a, std::span<float> b) {
  const float own = static_cast<float>(keep), other = static_cast<float>(1 - keep);
  for (size_t i = 0; i < a.size(); ++i) {
    const float x = a[i], y = b[i];
    a[i] = own * x + other * y;
    b[i] = own * y + other * x;
  }
}

void swap_part(const Mix& mix, Size size, float* a, float* b) {
  for (int y = mix.top; y < mix.top + mix.height; ++y) {
    const size_t from = (static_cast<size_t>(y) * size.width + mix.left) * size.channels;
    std::swap_ranges(a + from, a + from + static_cast<size_t>(mix.width) * size.channels, b + from);
  }
}

}  // namespace

data::Region draw_region(const Augment& augment, const data::Image& image, const DrawKey& key) {
  auto random = stream(key, Purpose::crop);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = random.uniform(augment.crop_area, 1.0) * image.height * image.width;
    const double aspect = std::exp(random.uniform(std::log(3.0 / 4), std::log(4.0 / 3)));
    const int h = static_cast<int>(std::lround(std::sqrt(area / aspect))), w = static_cast<int>(std::lround(std::sqrt(area * aspect)));
    if (h < 1 || w < 1 || h > image.height || w > image.width) continue;
    return {static_cast<int>(random.below(static_cast<uint64_t>(image.height - h) + 1)),
            static_cast<int>(random.below(static_cast<uint64_t>(image.width - w) + 1)), h, w, false};
  }
  return {0, 0, image.height, image.width, false};
}

void change_geometry(const Augment& augment, Size size, std::span<const uint8_t> in, std::span<uint8_t> out, const DrawKey& key) {
  const bool mirrored = augment.flip && stream(key, Purpose::flip).uniform() < 0.5;
  auto random = stream(key, augment.crop_area > 0 ? Purpose::resample : Purpose::crop);
  const int dy = shift(random, augment.pad_crop), dx = shift(random, augment.pad_crop);
  if (augment.rotate == 0 && augment.scale == 0) return copy_shifted(size, in, out, dy, dx, mirrored);
  const double degrees = augment.rotate * (2 * random.uniform() - 1), zoom = factor(random, augment.scale);
  warp_bilinear(size, in, out, make_warp(size, degrees, zoom, dy, dx, mirrored));
}

void change_colors(const Augment& augment, Size size, std::span<uint8_t> pixels, const DrawKey& key) {
  if (augment.brightness > 0 || augment.contrast > 0 || augment.saturation > 0) jitter(augment, size, pixels, key);
  if (augment.cutout > 0) cut_out(augment, size, pixels, key);
}

Mix draw_mix(const Augment& augment, Size size, uint64_t seed, uint64_t epoch, uint64_t step) {
  if (augment.mixup <= 0 && augment.cutmix <= 0) return {};
  RandomStream random(seed, epoch, step, Purpose::mixup);
  const bool cut = augment.cutmix > 0 && (augment.mixup <= 0 || random.uniform() < 0.5);
  Mix mix;
  mix.kind = cut ? Mix::Kind::cutmix : Mix::Kind::mixup;
  mix.keep = draw_beta(random, cut ? augment.cutmix : augment.mixup);
  if (!cut) return mix;
  const double side = std::sqrt(1 - mix.keep);
  const int h = static_cast<int>(size.height * side), w = static_cast<int>(size.width * side);
  const int cy = static_cast<int>(random.below(static_cast<uint64_t>(size.height))), cx = static_cast<int>(random.below(static_cast<uint64_t>(size.width)));
  mix.top = std::max(0, cy - h / 2);
  mix.left = std::max(0, cx - w / 2);
  mix.height = std::max(0, std::min(size.height, cy - h / 2 + h) - mix.top);
  mix.width = std::max(0, std::min(size.width, cx - w / 2 + w) - mix.left);
  mix.keep = 1 - double(mix.height) * mix.width / (double(size.height) * size.width);
  return mix;
}

void apply_mix(const Mix& mix, Size size, int64_t n, std::span<float> pictures, int classes, std::span<float> targets) {
  if (mix.kind == Mix::Kind::none) return;
  const size_t pixels = size.bytes(), k = static_cast<size_t>(classes);
  for (size_t i = 0, j = static_cast<size_t>(n) - 1; i < j; ++i, --j) {
    if (mix.kind == Mix::Kind::mixup) blend_rows(mix.keep, pictures.subspan(i * pixels, pixels), pictures.subspan(j * pixels, pixels));
    else swap_part(mix, size, &pictures[i * pixels], &pictures[j * pixels]);
    blend_rows(mix.keep, targets.subspan(i * k, k), targets.subspan(j * k, k));
  }
}

}  // namespace kinglet::train
