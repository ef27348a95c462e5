#include "base/exact_math.h"

#include <cmath>
#include <limits>

namespace kinglet {

// exp(x) = 2^k * exp(r), r = x - k ln 2 in two parts (Cody and Waite 1980), exp(r) by its Taylor series in Horner form:
// |r| <= 0.347, so 18 terms reach below 1e-18.
double exact_exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.782712893384) return std::numeric_limits<double>::infinity();
  if (x < -745.2) return 0.0;
  constexpr double kLog2e = 1.4426950408889634, kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
  const double k = std::floor(x * kLog2e + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1.0;
  for (int n = 18; n >= 1; --n) sum = 1.0 + sum * r / n;
  return std::ldexp(sum, static_cast<int>(k));
}

double exact_sigmoid(double x) { return x >= 0 ? 1.0 / (1.0 + exact_exp(-x)) : exact_exp(x) / (1.0 + exact_exp(x)); }

double exact_tanh(double x) {
  if (std::abs(x) < 1e-3) return x - x * x * x / 3.0 + 2.0 * x * x * x * x * x / 15.0;
  const double e = exact_exp(-2.0 * std::abs(x));
  const double t = (1.0 - e) / (1.0 + e);
  return x < 0 ? -t : t;
}

}  // namespace kinglet
