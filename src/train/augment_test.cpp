#include "train/augment.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace kinglet::train {
namespace {

constexpr Size kSize{6, 5, 3};

std::vector<uint8_t> numbered() {
  std::vector<uint8_t> pixels(kSize.bytes());
  std::iota(pixels.begin(), pixels.end(), uint8_t{1});
  return pixels;
}

std::vector<uint8_t> geometry(const Augment& augment, uint64_t picture, uint64_t epoch = 0) {
  std::vector<uint8_t> out(kSize.bytes());
  change_geometry(augment, kSize, numbered(), out, {5, epoch, picture});
  return out;
}

uint8_t at(const std::vector<uint8_t>& pixels, int y, int x, int k) {
  if (y < 0 || x < 0 || y >= kSize.height || x >= kSize.width) return 0;
  return pixels[static_cast<size_t>((y * kSize.width + x) * kSize.channels + k)];
}

TEST(Augment, NothingAskedNothingChanged) {
  EXPECT_EQ(geometry({}, 1), numbered());
  auto pixels = numbered();
  change_colors({}, kSize, pixels, {1, 2, 3});
  EXPECT_EQ(pixels, numbered());
}

TEST(Augment, FlipMirrorsHalfOfThePictures) {
  Augment augment;
  augment.flip = true;
  int mirrored = 0;
  for (uint64_t picture = 0; picture < 400; ++picture) {
    const auto out = geometry(augment, picture);
    if (out == numbered()) continue;
    ++mirrored;
    for (int y = 0; y < kSize.height; ++y)
      for (int x = 0; x < kSize.width; ++x)
        for (int k = 0; k < 3; ++k) ASSERT_EQ(at(out, y, x, k), at(numbered(), y, kSize.width - 1 - x, k));
  }
  EXPECT_GT(mirrored, 150);
  EXPECT_LT(mirrored, 250);
}

TEST(Augment, ShiftsBringZerosInAndCoverTheRange) {
  Augment augment;
  augment.pad_crop = 2;
  std::set<std::pair<int, int>> seen;
  for (uint64_t picture = 0; picture < 400; ++picture) {
    const auto out = geometry(augment, picture);
    bool found = false;
    for (int dy = -2; dy <= 2 && !found; ++dy)
      for (int dx = -2; dx <= 2 && !found; ++dx) {
        bool equal = true;
        for (int y = 0; y < kSize.height; ++y)
          for (int x = 0; x < kSize.width; ++x)
            for (int k = 0; k < 3; ++k) equal &= at(out, y, x, k) == at(numbered(), y + dy, x + dx, k);
        if ((found = equal)) seen.insert({dy, dx});
      }
    ASSERT_TRUE(found) << picture;
  }
  EXPECT_EQ(seen.size(), 25u);
}

TEST(Augment, DrawDependsOnEpochAndPictureOnly) {
  Augment augment;
  augment.pad_crop = 2;
  augment.flip = true;
  augment.rotate = 10;
  EXPECT_EQ(geometry(augment, 3, 4), geometry(augment, 3, 4));
  EXPECT_NE(geometry(augment, 3, 4), geometry(augment, 3, 5));
  EXPECT_NE(geometry(augment, 3, 4), geometry(augment, 2, 4));
}

TEST(Augment, RotationKeepsTheCentreAndABlankPicture) {
  Augment augment;
  augment.rotate = 30;
  const Size size{33, 33, 1};
  std::vector<uint8_t> in(size.bytes(), 0), out(size.bytes());
  in[16 * 33 + 16] = 200;
  change_geometry(augment, size, in, out, {1, 1, 1});
  EXPECT_EQ(out[16 * 33 + 16], 200);
  EXPECT_NE(out, in);  // the neighbours of the centre take a part of it
  int sum = 0;
  for (uint8_t p : out) sum += p;
  EXPECT_NEAR(sum, 200, 60);
}

TEST(Augment, ColorsStayNearAndVary) {
  Augment augment;
  augment.brightness = 0.2;
  std::vector<uint8_t> gray(kSize.bytes(), 100);
  std::set<uint8_t> seen;
  for (uint64_t picture = 0; picture < 200; ++picture) {
    auto pixels = gray;
    change_colors(augment, kSize, pixels, {1, 1, picture});
    for (uint8_t p : pixels) EXPECT_EQ(p, pixels[0]);
    EXPECT_GE(pixels[0], 80);
    EXPECT_LE(pixels[0], 120);
    seen.insert(pixels[0]);
  }
  EXPECT_GT(seen.size(), 25u);
}

TEST(Augment, CutoutGreysASquare) {
  Augment augment;
  augment.cutout = 2;
  size_t largest = 0;
  for (uint64_t picture = 0; picture < 50; ++picture) {
    auto pixels = std::vector<uint8_t>(kSize.bytes(), 7);
    change_colors(augment, kSize, pixels, {1, 1, picture});
    const size_t greyed = static_cast<size_t>(std::count(pixels.begin(), pixels.end(), 128));
    EXPECT_GE(greyed, 3u);
    largest = std::max(largest, greyed);
  }
  EXPECT_EQ(largest, 12u);
}

TEST(Augment, MixupKeepsSums) {
  Augment augment;
  augment.mixup = 0.4;
  std::vector<float> pictures(4 * kSize.bytes()), targets(4 * 3, 0.0f);
  std::iota(pictures.begin(), pictures.end(), 0.0f);
  for (size_t i = 0; i < 4; ++i) targets[i * 3 + i % 3] = 1;
  const auto before = pictures;
  const Mix mix = draw_mix(augment, kSize, 1, 2, 3);
  ASSERT_EQ(mix.kind, Mix::Kind::mixup);
  apply_mix(mix, kSize, 4, pictures, 3, targets);
  const double keep = mix.keep;
  EXPECT_GT(keep, 0);
  EXPECT_LT(keep, 1);
  const size_t last = 3 * kSize.bytes();
  EXPECT_NEAR(pictures[0], keep * before[0] + (1 - keep) * before[last], 1e-3);
  EXPECT_NEAR(pictures[last], keep * before[last] + (1 - keep) * before[0], 1e-3);
  EXPECT_NEAR(targets[0], 1.0, 1e-6);  // pictures 0 and 3 share class 0
  EXPECT_NEAR(targets[1 * 3 + 1], keep, 1e-6);
  EXPECT_NEAR(targets[1 * 3 + 2], 1 - keep, 1e-6);
}

TEST(Augment, CutmixSwapsTheShareItSays) {
  Augment augment;
  augment.cutmix = 1;
  for (uint64_t step = 0; step < 30; ++step) {
    std::vector<float> pictures(2 * kSize.bytes()), targets{1, 0, 0, 1};
    std::fill(pictures.begin() + static_cast<long>(kSize.bytes()), pictures.end(), 1.0f);
    const Mix mix = draw_mix(augment, kSize, 1, 1, step);
    apply_mix(mix, kSize, 2, pictures, 2, targets);
    double foreign = 0;
    for (size_t i = 0; i < kSize.bytes(); ++i) foreign += pictures[i];
    EXPECT_NEAR(1 - foreign / double(kSize.bytes()), mix.keep, 1e-6);
    EXPECT_NEAR(targets[0], mix.keep, 1e-6);
    EXPECT_NEAR(targets[1], 1 - mix.keep, 1e-6);
  }
}

TEST(Augment, BetaDrawsHaveTheirMoments) {
  Augment augment;
  augment.mixup = 0.5;
  double sum = 0, squares = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const double keep = draw_mix(augment, kSize, 9, 0, static_cast<uint64_t>(i)).keep;
    sum += keep;
    squares += keep * keep;
  }
  const double mean = sum / kDraws, variance = squares / kDraws - mean * mean;
  EXPECT_NEAR(mean, 0.5, 0.03);        // deviation of the mean: 0.0056
  EXPECT_NEAR(variance, 0.125, 0.01);  // 1 / (4 (2 alpha + 1))
}

TEST(Augment, RandomCropsStayInsideAndRespectTheArea) {
  Augment augment;
  augment.crop_area = 0.3;
  data::Image image{40, 60, 3, {}};
  for (uint64_t picture = 0; picture < 300; ++picture) {
    const auto region = draw_region(augment, image, {1, 1, picture});
    EXPECT_GE(region.top, 0);
    EXPECT_GE(region.left, 0);
    EXPECT_LE(region.top + region.height, 40);
    EXPECT_LE(region.left + region.width, 60);
    EXPECT_GT(region.height * region.width, 0.27 * 40 * 60);
  }
}

}  // namespace
}  // namespace kinglet::train
