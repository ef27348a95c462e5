// Bounds-checked little-endian reader and writer: the only way bytes of a foreign file are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kinglet {

class ByteReader {
 public:
  /// `where` opens every message, usually the file name.
  ByteReader(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  template <class T>
  T read() {
    T value;
    auto raw = take(sizeof(T));
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> take(size_t n) {
    if (n > bytes_.size() - at_) fail("ends at byte " + std::to_string(bytes_.size()) + " where " + std::to_string(n) + " more were expected at " + std::to_string(at_));
    auto part = bytes_.subspan(at_, n);
    at_ += n;
    return part;
  }
  std::string_view take_text(size_t n) {
    auto raw = take(n);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  void seek(size_t at) {
    if (at > bytes_.size()) fail("has no byte " + std::to_string(at));
    at_ = at;
  }
  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  [[noreturn]] void fail(const std::string& what) const { throw Error(where_, what, "the file is damaged or cut off"); }

 private:
  std::span<const std::byte> bytes_;
  std::string where_;
  size_t at_ = 0;
};

class ByteWriter {
 public:
  template <class T>
  void write(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    auto* p = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), p, p + sizeof(T));
  }
  void append(std::span<const std::byte> raw) { bytes_.insert(bytes_.end(), raw.begin(), raw.end()); }
  void append(std::string_view text) { append(std::as_bytes(std::span(text.data(), text.size()))); }
  void align(size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }
  size_t at() const { return bytes_.size(); }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace kinglet
