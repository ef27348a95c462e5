#include "base/tensor.h"

#include <cstring>
#include <new>

#include "base/error.h"

namespace kinglet {

namespace {
constexpr std::align_val_t kAlign{64};

std::shared_ptr<std::byte> allocate(size_t bytes) {
  auto* p = static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlign));
  std::memset(p, 0, bytes);
  return {p, [](std::byte* q) { ::operator delete(q, kAlign); }};
}
}  // namespace

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), elements_(shape_.elements()) {
  constexpr int64_t kMaxBytes = int64_t{1} << 34;
  if (elements_ > kMaxBytes / static_cast<int64_t>(dtype_bytes(dtype_)))
    throw Error("tensor " + shape_.str(), "would need more than 16 GiB");
  buffer_ = allocate(size_bytes());
}

std::span<std::byte> Tensor::mutable_bytes() {
  if (buffer_.use_count() > 1) {
    auto copy = allocate(size_bytes());
    std::memcpy(copy.get(), buffer_.get(), size_bytes());
    buffer_ = std::move(copy);
  }
  return {buffer_.get(), size_bytes()};
}

Tensor Tensor::reshaped(Shape shape) const {
  KINGLET_CHECK(shape.elements() == elements_, shape_.str() + " to " + shape.str());
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

bool Tensor::operator==(const Tensor& other) const {
  return dtype_ == other.dtype_ && shape_ == other.shape_ &&
         (size_bytes() == 0 || std::memcmp(buffer_.get(), other.buffer_.get(), size_bytes()) == 0);
}

void Tensor::check_dtype(DType asked) const {
  KINGLET_CHECK(asked == dtype_, std::string(dtype_name(dtype_)) + " tensor read as " + std::string(dtype_name(asked)));
}

}  // namespace kinglet
