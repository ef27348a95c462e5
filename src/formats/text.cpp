#include "formats/text.h"

namespace kinglet::formats {

namespace {

constexpr size_t kMaxTextBytes = 4096;

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (Unicode 15, table 3-7).
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t n = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
  if (n == 0 || n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool beyond = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || beyond ? 0 : n;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  text = text.substr(0, kMaxTextBytes);
  while (!text.empty()) {
    const size_t n = utf8_length(text);
    const bool control = n == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
    if (n == 0 || control)
      clean += '?';
    else
      clean += text.substr(0, n);
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return clean;
}

}  // namespace kinglet::formats
