// dtype, shape and bytes. The buffer is shared and constant once built, so copies of a Graph cost no memory;
// mutable_data() copies it first when somebody else holds it too.
#pragma once

#include <cstddef>
#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace kinglet {

class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled, 64-byte aligned. Throws Error when the shape is too large.
  Tensor(DType dtype, Shape shape);
  template <class T>
  static Tensor of(Shape shape, std::span<const T> values);
  template <class T>
  static Tensor of(Shape shape, const std::vector<T>& values) {
    return of<T>(std::move(shape), std::span<const T>(values));
  }
  template <class T>
  static Tensor scalar(T value) {
    return of<T>(Shape{}, std::span<const T>(&value, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t elements() const { return elements_; }
  size_t size_bytes() const { return static_cast<size_t>(elements_) * dtype_bytes(dtype_); }
  std::span<const std::byte> bytes() const { return {buffer_.get(), size_bytes()}; }
  std::span<std::byte> mutable_bytes();

  template <class T>
  std::span<const T> data() const {
    check_dtype(dtype_of<T>());
    return {reinterpret_cast<const T*>(buffer_.get()), static_cast<size_t>(elements_)};
  }
  template <class T>
  std::span<T> mutable_data() {
    check_dtype(dtype_of<T>());
    return {reinterpret_cast<T*>(mutable_bytes().data()), static_cast<size_t>(elements_)};
  }

  /// The same bytes under another shape of as many elements.
  Tensor reshaped(Shape shape) const;
  bool same_buffer(const Tensor& other) const { return buffer_ == other.buffer_; }
  bool operator==(const Tensor& other) const;  ///< dtype, shape and bytes

 private:
  void check_dtype(DType asked) const;
  DType dtype_ = DType::f32;
  Shape shape_{0};
  int64_t elements_ = 0;
  std::shared_ptr<std::byte> buffer_;
};

template <class T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor t(dtype_of<T>(), std::move(shape));
  auto out = t.mutable_data<T>();
  if (out.size() != values.size()) throw std::logic_error("Tensor::of: " + std::to_string(values.size()) + " values for shape " + t.shape().str());
  std::copy(values.begin(), values.end(), out.begin());
  return t;
}

}  // namespace kinglet
