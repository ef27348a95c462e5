#include "quantize/observer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/did_you_mean.h"
#include "base/error.h"

namespace kinglet::quantize {

namespace {
constexpr std::array<std::string_view, 3> kNames{"minmax", "percentile", "mse"};
}

std::string_view observer_name(Observer observer) { return kNames[static_cast<size_t>(observer)]; }

Observer observer_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Observer>(i);
  const std::vector<std::string> known(kNames.begin(), kNames.end());
  throw Error("observer", "'" + std::string(name) + "' is not known", did_you_mean(name, known), ErrorKind::usage);
}

Range unite(Range a, Range b) { return {std::min(a.min, b.min), std::max(a.max, b.max)}; }

void Histogram::observe(std::span<const float> values) {
  double low = 0, high = 0;
  for (float v : values) {
    if (!std::isfinite(v)) throw Error("calibration", "an activation is not a finite number", "train the model further or look at its weights");
    low = std::min(low, double{v}), high = std::max(high, double{v});
  }
  int exponent = kNarrowest;
  if (low < 0 || high > 0) std::frexp(std::max(-low, high), &exponent);  // |v| < 2^exponent
  grow(std::max(exponent, kNarrowest));
  const double inverse = 1.0 / bin_width();
  for (float v : values) ++bins_[static_cast<size_t>(std::floor(double{v} * inverse)) + kBins / 2];
  count_ += static_cast<int64_t>(values.size());
  min_ = std::min(min_, low), max_ = std::max(max_, high);
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  Histogram same = other;
  grow(other.exponent_);
  same.grow(exponent_);
  for (int i = 0; i < kBins; ++i) bins_[static_cast<size_t>(i)] += same.bins_[static_cast<size_t>(i)];
  count_ += other.count_;
  min_ = std::min(min_, other.min_), max_ = std::max(max_, other.max_);
}

/// Widens by merging neighbours in pairs; never narrows, but for the first values, which set the width.
void Histogram::grow(int exponent) {
  if (bins_.empty()) bins_.assign(kBins, 0), exponent_ = exponent;
  for (; exponent_ < exponent; ++exponent_) {
    std::vector<int64_t> wide(kBins, 0);
    for (int i = 0; i < kBins; ++i) wide[static_cast<size_t>((i + kBins / 2) / 2)] += bins_[static_cast<size_t>(i)];
    bins_ = std::move(wide);
  }
}

double Histogram::bin_width() const { return std::ldexp(2.0 / kBins, exponent_); }
double Histogram::edge(int bin) const { return (bin - kBins / 2) * bin_width(); }

double Histogram::quantile(double q) const {
  const double wanted = q * static_cast<double>(count_);
  double below = 0;
  for (int i = 0; i < kBins; ++i) {
    const auto here = static_cast<double>(bins_[static_cast<size_t>(i)]);
    if (here > 0 && below + here >= wanted) return edge(i) + (wanted - below) / here * bin_width();
    below += here;
  }
  return max_;
}

/// Sum over the histogram of scale^2 / 12 inside the range and the squared distance outside.
double Histogram::squared_error(Range range) const {
  const double scale = (range.max - range.min) / 255.0, rounding = scale * scale / 12.0;
  double sum = 0;
  for (int i = 0; i < kBins; ++i) {
    if (bins_[static_cast<size_t>(i)] == 0) continue;
    const double centre = edge(i) + bin_width() / 2, beyond = centre - std::clamp(centre, range.min, range.max);
    sum += static_cast<double>(bins_[static_cast<size_t>(i)]) * (rounding + beyond * beyond);
  }
  return sum;
}

Range Histogram::least_squared_error() const {
  constexpr int kSteps = 40;
  Range best = extremes();
  double least = squared_error(best);
  for (int low = min_ < 0 ? 10 : kSteps; low <= kSteps; ++low)
    for (int high = max_ > 0 ? 10 : kSteps; high <= kSteps; ++high) {
      const Range range{min_ * low / kSteps, max_ * high / kSteps};
      const double error = squared_error(range);
      if (error < least) least = error, best = range;
    }
  return best;
}

Range Histogram::range(Observer observer, double percentile) const {
  if (observer == Observer::minmax || count_ == 0) return extremes();
  if (observer == Observer::mse) return least_squared_error();
  const double share = percentile / 100.0;
  return {std::clamp(quantile(1.0 - share), min_, 0.0), std::clamp(quantile(share), 0.0, max_)};
}

}  // namespace kinglet::quantize
