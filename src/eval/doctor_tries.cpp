#include "eval/doctor_tries.h"

#include <algorithm>

namespace kinglet::eval {

namespace {

using graph::InputSpec;

struct Row {
  const char *factor, *change, *flag;
};

constexpr Row kOrders[] = {{"order", "red first (RGB)", "order=rgb"}, {"order", "blue first (BGR)", "order=bgr"}};
constexpr Row kRanges[] = {{"range", "from 0 to 1", "divisor=255,mean=0,std=1"},
                           {"range", "from -1 to 1", "divisor=127.5,mean=1,std=1"},
                           {"range", "bytes as they are, 0 to 255", "divisor=1,mean=0,std=1"},
                           {"range", "bytes less 128, by 128", "divisor=128,mean=1,std=1"},
                           {"range", "bytes less 128", "divisor=1,mean=128,std=1"}};
constexpr Row kColorRanges[] = {
    {"range", "ImageNet's mean and deviation", "divisor=255,mean=0.485/0.456/0.406,std=0.229/0.224/0.225"},
    {"range", "bytes less ImageNet's mean", "divisor=1,mean=123.68/116.779/103.939,std=1"},
    {"range", "CIFAR-10's mean and deviation", "divisor=255,mean=0.4914/0.4822/0.4465,std=0.2470/0.2435/0.2616"}};
constexpr Row kResizes[] = {{"resize", "stretched", "resize=stretch"},
                            {"resize", "whole short side, centre crop", "crop=1"},
                            {"resize", "centre crop of 0.875", "crop=0.875"},
                            {"resize", "letterboxed with black", "resize=letterbox,letterbox_value=0"},
                            {"resize", "letterboxed with gray", "resize=letterbox,letterbox_value=128"}};
constexpr Row kFilters[] = {{"filter", "bilinear with antialias", "filter=bilinear,antialias=true,coordinates=half_pixel"},
                            {"filter", "bilinear without antialias", "filter=bilinear,antialias=false,coordinates=half_pixel"},
                            {"filter", "bilinear, corners aligned", "filter=bilinear,antialias=false,coordinates=align_corners"},
                            {"filter", "nearest", "filter=nearest,coordinates=half_pixel"},
                            {"filter", "nearest, asymmetric", "filter=nearest,coordinates=asymmetric"},
                            {"filter", "area", "filter=area"}};
constexpr Row kGrays[] = {{"gray_weights", "BT.601 luma", "gray_weights=19595/38470/7471"},
                          {"gray_weights", "BT.601 luma of swapped red and blue", "gray_weights=7471/38470/19595"},
                          {"gray_weights", "BT.709 luma", "gray_weights=13933/46871/4732"},
                          {"gray_weights", "mean of the channels", "gray_weights=21845/21846/21845"}};

/// Contracts that give the same tensor, whatever else their fields say.
bool same_effect(InputSpec a, InputSpec b) {
  auto plain = [](InputSpec& s) {
    s.origins.clear();
    if (std::all_of(s.mean.begin(), s.mean.end(), [](double m) { return m == 0; })) s.mean.clear();
    if (std::all_of(s.stddev.begin(), s.stddev.end(), [](double d) { return d == 1; })) s.stddev.clear();
    if (s.resize != graph::ResizeMode::crop) s.crop_fraction = 1;
    if (s.resize != graph::ResizeMode::letterbox) s.letterbox_value = 0;
    if (s.filter != graph::ResizeFilter::bilinear) s.antialias = true;
    if (s.filter == graph::ResizeFilter::area) s.coordinates = graph::Coordinates::half_pixel;
  };
  plain(a);
  plain(b);
  return a == b;
}

template <size_t N>
void append(std::vector<Alternative>& list, const Row (&rows)[N], const InputSpec& spec) {
  for (const auto& row : rows) {
    InputSpec other = spec;
    graph::override_input_spec(other, row.flag);
    if (!same_effect(other, spec)) list.push_back({row.factor, row.change, row.flag, {}});
  }
}

constexpr uint8_t expand5(unsigned v) { return static_cast<uint8_t>(v << 3 | v >> 2); }
constexpr uint8_t expand6(unsigned v) { return static_cast<uint8_t>(v << 2 | v >> 4); }

}  // namespace

bool fits_rgb565(const data::Image& image) {
  if (image.channels != 3) return false;
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const uint8_t* p = &image.pixels[i];
    if (p[0] != expand5(p[0] >> 3) || p[1] != expand6(p[1] >> 2) || p[2] != expand5(p[2] >> 3)) return false;
  }
  return true;
}

data::Image swap_rgb565_bytes(const data::Image& image) {
  data::Image swapped = image;
  for (size_t i = 0; i + 2 < swapped.pixels.size(); i += 3) {
    uint8_t* p = &swapped.pixels[i];
    const unsigned word = (p[0] >> 3) << 11 | (p[1] >> 2) << 5 | p[2] >> 3, other = (word & 255) << 8 | word >> 8;
    p[0] = expand5(other >> 11), p[1] = expand6(other >> 5 & 63), p[2] = expand5(other & 31);
  }
  return swapped;
}

std::vector<Alternative> alternatives(const InputSpec& spec, const PictureFacts& facts) {
  std::vector<Alternative> list;
  if (spec.channels == 3 && facts.colored) append(list, kOrders, spec);
  append(list, kRanges, spec);
  if (spec.channels == 3) append(list, kColorRanges, spec);
  if (facts.shape_differs || spec.resize == graph::ResizeMode::crop)
    append(list, kResizes, spec);
  else if (facts.resampled)
    append(list, {kResizes[0], kResizes[2]}, spec);
  if (facts.resampled) append(list, kFilters, spec);
  if (spec.channels == 1 && facts.colored) append(list, kGrays, spec);
  if (facts.rgb565) list.push_back({"pictures", "the two bytes of each 16-bit pixel swapped back", "", swap_rgb565_bytes});
  return list;
}

}  // namespace kinglet::eval
