// What was seen of one value: exact extremes and a histogram whose bins are powers of two wide, so that the result depends
// on neither the order nor the split of what was observed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kinglet::quantize {

/// How a range is chosen. minmax: all that was seen. percentile: all but the outermost values on either side.
/// mse: the range with the least expected squared error of rounding and clipping together.
enum class Observer : uint8_t { minmax, percentile, mse };
std::string_view observer_name(Observer observer);
Observer observer_from_name(std::string_view name);  ///< throws a usage Error

/// Closed interval that holds 0.
struct Range {
  double min = 0, max = 0;
};
Range unite(Range a, Range b);

class Histogram {
 public:
  void observe(std::span<const float> values);
  void merge(const Histogram& other);

  int64_t count() const { return count_; }
  Range extremes() const { return {min_, max_}; }
  /// `percentile` in percent, used by Observer::percentile only. Always holds 0.
  Range range(Observer observer, double percentile) const;

 private:
  static constexpr int kBins = 8192;  ///< over [-2^exponent_, 2^exponent_)
  static constexpr int kNarrowest = -60;

  void grow(int exponent);
  double bin_width() const;
  double edge(int bin) const;
  double quantile(double q) const;
  double squared_error(Range range) const;
  Range least_squared_error() const;

  int exponent_ = kNarrowest;
  int64_t count_ = 0;
  double min_ = 0, max_ = 0;
  std::vector<int64_t> bins_;
};

}  // namespace kinglet::quantize
