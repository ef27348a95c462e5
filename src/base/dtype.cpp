#include "base/dtype.h"

#include <array>
#include <string>

#include "base/error.h"

namespace kinglet {

namespace {
struct Row {
  std::string_view name;
  size_t bytes;
};
constexpr std::array<Row, 7> kRows{{{"float32", 4}, {"int8", 1}, {"uint8", 1}, {"int16", 2}, {"int32", 4}, {"int64", 8}, {"bool", 1}}};
}  // namespace

size_t dtype_bytes(DType dtype) { return kRows[static_cast<size_t>(dtype)].bytes; }
std::string_view dtype_name(DType dtype) { return kRows[static_cast<size_t>(dtype)].name; }

DType dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].name == name) return static_cast<DType>(i);
  throw Error("data type", "'" + std::string(name) + "' is not one of float32, int8, uint8, int16, int32, int64, bool");
}

bool is_integer(DType dtype) { return dtype != DType::f32 && dtype != DType::boolean; }

}  // namespace kinglet
