#include "codegen/print_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace kinglet::codegen {

namespace {
std::string upper(std::string name) {
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}
}  // namespace

bool is_identifier(const std::string& name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) && std::all_of(name.begin(), name.end(), fits);
}

const char* c_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return "float";
    case DType::s8: return "int8_t";
    case DType::u8: return "uint8_t";
    case DType::s32: return "int32_t";
    case DType::s64: return "int64_t";
    default: KINGLET_CHECK(false);
  }
}

std::string comment_text(const std::string& text) {
  std::string safe;
  for (char c : text) safe += std::isprint(static_cast<unsigned char>(c)) && c != '*' && c != '\\' ? c : '_';
  return safe;
}

std::string open_header(const std::string& name) {
  return fmt::format("/* Written by Kinglet {}. */\n#ifndef {}_H\n#define {}_H\n\n", KINGLET_VERSION, upper(name), upper(name));
}
std::string open_extern_c() { return "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"; }
std::string close_extern_c() { return "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"; }

void NumberList::add(const std::string& number) {
  if (line_ + number.size() > 118) text_ += "\n ", line_ = 0;
  text_ += " " + number + ",";
  line_ += number.size() + 2;
}

}  // namespace kinglet::codegen
