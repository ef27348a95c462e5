// Dimensions of a tensor, outermost first. Activations are NHWC with dimension 0 the picture count: 1 inside a Graph
// (printed N), the batch in tensors that flow through an interpreter.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace kinglet {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(std::span<const int64_t> dims);  ///< throws Error above kMaxRank

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis]; }
  int64_t& operator[](int axis) { return dims_[axis]; }
  int64_t back() const { return dims_[rank_ - 1]; }
  int64_t elements() const;  ///< product; 1 for rank 0; throws Error above 2^40 or on a negative dimension
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  Shape with_dim(int axis, int64_t size) const;
  std::string str() const;        ///< "1x32x32x3"
  std::string batch_str() const;  ///< "Nx32x32x3"
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace kinglet
