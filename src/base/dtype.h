// Element types of tensors. Names are ours; formats/ map them to their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kinglet {

enum class DType : uint8_t { f32, s8, u8, s16, s32, s64, boolean };

size_t dtype_bytes(DType dtype);
std::string_view dtype_name(DType dtype);  ///< "float32", "int8", ...
DType dtype_from_name(std::string_view name);  ///< throws Error on an unknown name
bool is_integer(DType dtype);  ///< s8, u8, s16, s32, s64

template <class T>
constexpr DType dtype_of();
template <> constexpr DType dtype_of<float>() { return DType::f32; }
template <> constexpr DType dtype_of<int8_t>() { return DType::s8; }
template <> constexpr DType dtype_of<uint8_t>() { return DType::u8; }
template <> constexpr DType dtype_of<int16_t>() { return DType::s16; }
template <> constexpr DType dtype_of<int32_t>() { return DType::s32; }
template <> constexpr DType dtype_of<int64_t>() { return DType::s64; }

}  // namespace kinglet
