#include "base/error.h"

#include <fmt/format.h>

namespace kinglet {

namespace {
std::string sentence(const std::string& where, const std::string& what, const std::string& hint) {
  std::string text = where.empty() ? what : where + ": " + what;
  return hint.empty() ? text : text + "; " + hint;
}
}  // namespace

Error::Error(std::string where, std::string what, std::string hint, ErrorKind kind)
    : std::runtime_error(sentence(where, what, hint)), where_(std::move(where)), hint_(std::move(hint)), kind_(kind) {}

void check_failed(const char* condition, const char* file, int line, const std::string& note) {
  throw std::logic_error(fmt::format("internal error: {} ({}:{}) {}", condition, file, line, note));
}

}  // namespace kinglet
