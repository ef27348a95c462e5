#include "base/shape.h"

#include <algorithm>

#include "base/error.h"

namespace kinglet {

Shape::Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) throw Error("shape", "a tensor of rank " + std::to_string(dims.size()) + " is not supported (6 at most)");
  std::copy(dims.begin(), dims.end(), dims_.begin());
  rank_ = static_cast<int>(dims.size());
}

int64_t Shape::elements() const {
  constexpr int64_t kLimit = int64_t{1} << 40;
  int64_t n = 1;
  for (int64_t d : dims()) {
    if (d < 0 || d > kLimit || (n > 0 && d > kLimit / n)) throw Error("shape " + str(), "is negative or too large");
    n *= d;
  }
  return n;
}

Shape Shape::with_dim(int axis, int64_t size) const {
  Shape copy = *this;
  copy.dims_[axis] = size;
  return copy;
}

std::string Shape::str() const {
  std::string text;
  for (int i = 0; i < rank_; ++i) text += (i ? "x" : "") + std::to_string(dims_[i]);
  return text.empty() ? "scalar" : text;
}

std::string Shape::batch_str() const {
  std::string text = "N";
  for (int i = 1; i < rank_; ++i) text += "x" + std::to_string(dims_[i]);
  return text;
}

}  // namespace kinglet
