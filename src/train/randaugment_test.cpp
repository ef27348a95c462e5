#include "train/randaugment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kinglet::train {
namespace {

constexpr Size kSize{32, 20, 3};

std::vector<uint8_t> picture() {
  std::vector<uint8_t> pixels(kSize.bytes());
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(40 + i * 37 % 150);
  return pixels;
}

std::vector<uint8_t> changed(int operation, double strength) {
  auto pixels = picture();
  apply_policy_operation(operation, strength, kSize, pixels);
  return pixels;
}

TEST(RandAugment, StrengthZeroIsTheSamePicture) {
  for (int operation = 0; operation < 11; ++operation) EXPECT_EQ(changed(operation, 0), picture()) << operation;
}

TEST(RandAugment, EveryOperationButTheFirstChangesThePicture) {
  EXPECT_EQ(changed(0, 1), picture());
  for (int operation = 1; operation < kPolicyOperations; ++operation) EXPECT_NE(changed(operation, 0.7), picture()) << operation;
}

TEST(RandAugment, MovesByWholePixels) {
  const auto moved = changed(3, 0.25), original = picture();  // 0.25 * 20 * 150 / 331 = 2.27: two pixels from the right
  for (int y = 0; y < kSize.height; ++y)
    for (int x = 0; x < kSize.width; ++x)
      for (int k = 0; k < 3; ++k) {
        const size_t at = static_cast<size_t>((y * kSize.width + x) * 3 + k);
        EXPECT_EQ(moved[at], x + 2 < kSize.width ? original[at + 6] : 0) << y << " " << x;
      }
}

TEST(RandAugment, TurnsAboutTheCentre) {
  const Size odd{21, 21, 1};
  std::vector<uint8_t> pixels(odd.bytes(), 0);
  for (int y = 9; y <= 11; ++y)
    for (int x = 17; x <= 19; ++x) pixels[static_cast<size_t>(y * 21 + x)] = 200;  // right of the centre by 8
  apply_policy_operation(5, 1, odd, pixels);
  double n = 0, cx = 0, cy = 0;
  for (int y = 0; y < 21; ++y)
    for (int x = 0; x < 21; ++x)
      if (pixels[static_cast<size_t>(y * 21 + x)] == 200) ++n, cx += x, cy += y;
  ASSERT_GT(n, 4);
  EXPECT_NEAR(cx / n, 10 + 8 * 0.866, 0.6);
  EXPECT_NEAR(cy / n, 10 - 8 * 0.5, 0.6);
}

TEST(RandAugment, KnownPixels) {
  EXPECT_EQ(changed(10, 1)[0], picture()[0] & 0xf0);
  auto bright = changed(6, 0.5);
  EXPECT_EQ(bright[0], static_cast<uint8_t>(picture()[0] * 1.45 + 0.5));
  const auto inverted = changed(11, 0.5), original = picture();
  for (size_t i = 0; i < original.size(); ++i) EXPECT_EQ(inverted[i], original[i] >= 128 ? 255 - original[i] : original[i]);
  const auto stretched = changed(12, 0);
  for (int k = 0; k < 3; ++k) {
    uint8_t low = 255, high = 0;
    for (size_t i = static_cast<size_t>(k); i < stretched.size(); i += 3) low = std::min(low, stretched[i]), high = std::max(high, stretched[i]);
    EXPECT_EQ(low, 0);
    EXPECT_EQ(high, 255);
  }
}

TEST(RandAugment, DrawsFollowFromTheKey) {
  const RandAugment policy{2, 15};
  int same = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    auto a = picture(), b = picture(), c = picture();
    apply_randaugment(policy, kSize, a, {3, 4, i});
    apply_randaugment(policy, kSize, b, {3, 4, i});
    apply_randaugment(policy, kSize, c, {3, 5, i});
    EXPECT_EQ(a, b);
    same += a == c;
  }
  EXPECT_LT(same, 10);
}

TEST(RandAugment, NoOperationsNoChange) {
  auto pixels = picture();
  apply_randaugment({0, 30}, kSize, pixels, {1, 2, 3});
  EXPECT_EQ(pixels, picture());
}

}  // namespace
}  // namespace kinglet::train
