// Intervals, tests and order statistics used wherever a figure is printed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kinglet {

struct Interval {
  double low, high;
};

/// 95 % Wilson score interval of a proportion (Wilson 1927), as fractions; {0, 1} for n = 0.
Interval wilson95(int64_t hits, int64_t n);
/// Exact two-sided McNemar test from the discordant counts b and c (binomial with p = 1/2); 1 when both are 0.
double mcnemar_p(int64_t b, int64_t c);
/// q-quantile (0..1) by linear interpolation between order statistics (type 7); values need not be sorted; not empty.
double quantile(std::span<const double> values, double q);
/// Not empty.
double mean(std::span<const double> values);
/// Sample standard deviation (n - 1 below the sum); at least two values.
double sample_deviation(std::span<const double> values);
inline double median(std::span<const double> values) { return quantile(values, 0.5); }

/// Indices of the `k` largest scores, largest first; ties rank by the lower index.
std::vector<int> top_k(std::span<const float> scores, int k);

}  // namespace kinglet
