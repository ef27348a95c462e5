#include "quantize/observer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"

namespace kinglet::quantize {

namespace {

std::vector<float> normal_values(size_t n, uint64_t seed) {
  RandomStream random(seed, 0, 0, Purpose::draw);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(random.normal());
  return values;
}

}  // namespace

TEST(Observer, MinmaxIsExactAndHoldsZero) {
  Histogram histogram;
  histogram.observe(std::vector<float>{0.25f, 3.7f});
  EXPECT_EQ(histogram.range(Observer::minmax, 0).min, 0.0);
  EXPECT_EQ(histogram.range(Observer::minmax, 0).max, double{3.7f});
  histogram.observe(std::vector<float>{-9.5f});
  EXPECT_EQ(histogram.range(Observer::minmax, 0).min, -9.5);
}

TEST(Observer, PercentileOfANormalSample) {
  Histogram histogram;
  histogram.observe(normal_values(200000, 1));
  // The 97.5 % quantile of the normal distribution is 1.95996; its estimate from 200,000 values deviates by about 0.006.
  const Range range = histogram.range(Observer::percentile, 97.5);
  EXPECT_NEAR(range.max, 1.96, 0.02);
  EXPECT_NEAR(range.min, -1.96, 0.02);
}

TEST(Observer, PercentileOfOneSidedValuesStartsAtZero) {
  Histogram histogram;
  std::vector<float> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 1000.0f;
  histogram.observe(values);
  const Range range = histogram.range(Observer::percentile, 90.0);
  EXPECT_EQ(range.min, 0.0);
  EXPECT_NEAR(range.max, 0.9, 0.002);
}

TEST(Observer, OrderAndSplitDoNotMatter) {
  const auto a = normal_values(500, 2), b = normal_values(500, 3);
  std::vector<float> wide = a;
  for (float& v : wide) v *= 1000.0f;
  Histogram first, second, half;
  first.observe(a), first.observe(b), first.observe(wide);
  second.observe(wide), half.observe(b), half.observe(std::vector<float>{}), half.observe(a), second.merge(half);
  for (const Observer observer : {Observer::minmax, Observer::percentile, Observer::mse}) {
    EXPECT_EQ(first.range(observer, 99.0).min, second.range(observer, 99.0).min);
    EXPECT_EQ(first.range(observer, 99.0).max, second.range(observer, 99.0).max);
  }
}

TEST(Observer, LeastSquaredErrorCutsALoneOutlier) {
  auto values = normal_values(100000, 4);
  values.push_back(40.0f);
  Histogram histogram;
  histogram.observe(values);
  // One value at 40 against 100,000 around 0: rounding with the whole range costs (44/255)^2/12 * 1e5 = 248, cutting to 10 costs
  // 900 + (14/255)^2/12 * 1e5 = 925: it stays. A hundred times as many values make the cut worth it.
  EXPECT_GT(histogram.range(Observer::mse, 0).max, 15.0);
  for (int i = 0; i < 99; ++i) histogram.observe(std::span(values).first(100000));
  EXPECT_LT(histogram.range(Observer::mse, 0).max, 11.0);
}

TEST(Observer, RefusesWhatIsNotANumber) {
  Histogram histogram;
  EXPECT_THROW(histogram.observe(std::vector<float>{1.0f, std::nanf("")}), Error);
  EXPECT_THROW(observer_from_name("minmx"), Error);
}

}  // namespace kinglet::quantize
