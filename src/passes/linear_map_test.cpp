#include <gtest/gtest.h>

#include "base/random.h"

#include "passes/linear_map.h"

namespace kinglet::passes {

namespace {

/// One output pixel row of a map applied to a HxWxI picture, straight from the definition in the header.
std::vector<double> apply(const LinearMap& map, const std::vector<double>& picture, int height, int width, int out_h, int out_w) {
  const LinearMap m = dense(map);
  std::vector<double> out;
  for (int y = 0; y < out_h; ++y)
    for (int x = 0; x < out_w; ++x)
      for (int o = 0; o < m.out_channels; ++o) {
        double sum = m.bias[static_cast<size_t>(o)];
        for (int ky = 0; ky < m.kernel_h; ++ky)
          for (int kx = 0; kx < m.kernel_w; ++kx)
            for (int i = 0; i < m.in_channels; ++i) {
              const int sy = y * m.stride_h - m.pad_top + ky, sx = x * m.stride_w - m.pad_left + kx;
              if (sy < 0 || sy >= height || sx < 0 || sx >= width) continue;
              sum += m.kernel[static_cast<size_t>(((o * m.kernel_h + ky) * m.kernel_w + kx) * m.in_channels + i)] * picture[static_cast<size_t>((sy * width + sx) * m.in_channels + i)];
            }
        out.push_back(sum);
      }
  return out;
}

LinearMap random_map(RandomStream& random, int out, int in, int kernel, int pad, int stride, bool diagonal) {
  LinearMap m;
  m.out_channels = out, m.in_channels = in, m.diagonal = diagonal;
  m.kernel_h = m.kernel_w = kernel, m.stride_h = m.stride_w = stride;
  m.pad_top = m.pad_left = m.pad_bottom = m.pad_right = pad;
  m.kernel.resize(static_cast<size_t>(kernel * kernel * out * (diagonal ? 1 : in)));
  m.bias.resize(static_cast<size_t>(out));
  for (double& v : m.kernel) v = random.uniform(-1, 1);
  for (double& v : m.bias) v = random.uniform(-1, 1);
  return m;
}

std::vector<double> random_picture(RandomStream& random, int height, int width, int channels) {
  std::vector<double> picture(static_cast<size_t>(height * width * channels));
  for (double& v : picture) v = random.uniform(-1, 1);
  return picture;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << "at " << i;
}

}  // namespace

TEST(LinearMap, PointwiseAfterAWindowEqualsOneAfterTheOther) {
  RandomStream random(7, 0, 0, Purpose::init);
  for (const bool inner_diagonal : {false, true})
    for (const bool outer_diagonal : {false, true}) {
      const LinearMap inner = random_map(random, 3, 3, 3, 1, 1, inner_diagonal), outer = random_map(random, 3, 3, 1, 0, 2, outer_diagonal);
      const auto picture = random_picture(random, 5, 6, 3);
      const auto both = std::get<LinearMap>(compose(outer, inner));
      EXPECT_EQ(both.diagonal, inner_diagonal && outer_diagonal);
      expect_near(apply(both, picture, 5, 6, 3, 3), apply(outer, apply(inner, picture, 5, 6, 5, 6), 5, 6, 3, 3));
    }
}

TEST(LinearMap, WindowAfterPointwiseEqualsOneAfterTheOther) {
  RandomStream random(8, 0, 0, Purpose::init);
  for (const bool inner_diagonal : {false, true})
    for (const bool outer_diagonal : {false, true}) {
      const int in = inner_diagonal ? 4 : 2, out = outer_diagonal ? 4 : 3;
      const LinearMap inner = random_map(random, 4, in, 1, 0, 1, inner_diagonal), outer = random_map(random, out, 4, 3, 0, 2, outer_diagonal);
      const auto picture = random_picture(random, 7, 7, in);
      expect_near(apply(std::get<LinearMap>(compose(outer, inner)), picture, 7, 7, 3, 3), apply(outer, apply(inner, picture, 7, 7, 7, 7), 7, 7, 3, 3));
    }
}

TEST(LinearMap, DiagonalMapsComposeToTheBitAsDenseOnes) {
  RandomStream random(11, 0, 0, Purpose::init);
  const LinearMap conv = random_map(random, 5, 5, 1, 0, 1, false), scale = random_map(random, 5, 5, 1, 0, 1, true);
  for (const auto& [outer, inner] : {std::pair{conv, scale}, {scale, conv}}) {
    const auto a = std::get<LinearMap>(compose(outer, inner)), b = std::get<LinearMap>(compose(dense(outer), dense(inner)));
    EXPECT_EQ(a.kernel, b.kernel);
    EXPECT_EQ(a.bias, b.bias);
  }
}

TEST(LinearMap, SumsAlignKernelsByTheirPadding) {
  RandomStream random(9, 0, 0, Purpose::init);
  const auto picture = random_picture(random, 6, 5, 2);
  for (const int kernel : {1, 3, 5}) {
    const LinearMap a = random_map(random, 2, 2, 3, 1, 1, false), b = random_map(random, 2, 2, kernel, kernel / 2, 1, kernel == 1);
    const auto sum = std::get<LinearMap>(add(a, b));
    auto expected = apply(a, picture, 6, 5, 6, 5);
    const auto other = apply(b, picture, 6, 5, 6, 5);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += other[i];
    expect_near(apply(sum, picture, 6, 5, 6, 5), expected);
  }
}

TEST(LinearMap, RefusesWhatWouldNotBeExact) {
  RandomStream random(10, 0, 0, Purpose::init);
  LinearMap pointwise = random_map(random, 2, 2, 1, 0, 1, false);
  const LinearMap window = random_map(random, 2, 2, 3, 1, 1, false), strided = random_map(random, 2, 2, 1, 0, 2, false);
  EXPECT_TRUE(std::holds_alternative<std::string>(compose(window, window)));
  EXPECT_TRUE(std::holds_alternative<std::string>(compose(window, pointwise)));
  EXPECT_TRUE(std::holds_alternative<std::string>(compose(window, strided)));
  EXPECT_TRUE(std::holds_alternative<std::string>(add(pointwise, strided)));
  pointwise.bias.assign(2, 0.0);
  EXPECT_TRUE(std::holds_alternative<LinearMap>(compose(window, pointwise)));
}

}  // namespace kinglet::passes
