// Random changes to one picture, each drawn from (seed, epoch, picture, purpose): the same picture in the same epoch is
// always changed alike, whatever the batch, the thread or the resume.
#pragma once

#include <cstdint>
#include <span>

#include "data/preprocess.h"
#include "train/recipe.h"

namespace kinglet::train {

struct DrawKey {
  uint64_t seed = 0, epoch = 0, picture = 0;
};

struct Size {
  int height = 0, width = 0, channels = 0;
  size_t bytes() const { return static_cast<size_t>(height) * width * channels; }
};

/// A random-resized crop of the source for stage 1: area from crop_area to 1, aspect ratio from 3/4 to 4/3.
data::Region draw_region(const Augment& augment, const data::Image& image, const DrawKey& key);

/// Geometry: shift, mirror, rotation, zoom of a picture already at the input's size; what comes in from outside is zero.
/// `in` and `out` are HWC and do not overlap.
void change_geometry(const Augment& augment, Size size, std::span<const uint8_t> in, std::span<uint8_t> out, const DrawKey& key);

/// Brightness, contrast, saturation, then the cut-out square (grey 128), in place.
void change_colors(const Augment& augment, Size size, std::span<uint8_t> pixels, const DrawKey& key);

/// How a batch is mixed with its own reverse (picture i with n-1-i).
struct Mix {
  enum class Kind : uint8_t { none, mixup, cutmix } kind = Kind::none;
  double keep = 1;                                   ///< share of the picture's own label
  int top = 0, left = 0, height = 0, width = 0;      ///< cutmix: the part taken from the partner
};

Mix draw_mix(const Augment& augment, Size size, uint64_t seed, uint64_t epoch, uint64_t step);

/// Mixes `n` pictures of floats (HWC) and their rows of `classes` targets in place.
void apply_mix(const Mix& mix, Size size, int64_t n, std::span<float> pictures, int classes, std::span<float> targets);

}  // namespace kinglet::train
