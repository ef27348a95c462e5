#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace {

constexpr int kSide = 48;
constexpr std::string_view kHeader = "emotion,pixels,Usage";

[[noreturn]] void fail_line(const std::filesystem::path& path, int line, const std::string& what) {
  throw Error(fmt::format("{}: line {}", path.string(), line), what, "the file is damaged or cut off");
}

std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view unquoted(std::string_view field) {
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
  return field;
}

/// Appends the 2304 numbers of a row; false when they are not exactly that.
bool append_pixels(std::string_view numbers, std::vector<uint8_t>& pixels) {
  const char *at = numbers.data(), *end = at + numbers.size();
  for (int i = 0; i < kSide * kSide; ++i) {
    while (at < end && *at == ' ') ++at;
    int value = -1;
    auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0 || value > 255) return false;
    pixels.push_back(static_cast<uint8_t>(value));
    at = next;
  }
  return std::string_view(at, end).find_first_not_of(' ') == std::string_view::npos;
}

}  // namespace

bool is_fer2013_csv(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) && line.starts_with(kHeader);
}

void append_fer2013_csv(const std::filesystem::path& path, const std::string& usage, RawPictures& pictures) {
  const std::string text = read_text_file(path, uint64_t{1} << 30);
  std::string_view left = text;
  if (!next_line(left).starts_with(kHeader)) fail_line(path, 1, fmt::format("'{}' was expected", kHeader));
  pictures.height = pictures.width = kSide;
  pictures.channels = 1;
  pictures.parts.emplace_back(path.filename().string() + ":" + usage, pictures.labels.size());
  for (int number = 2; !left.empty(); ++number) {
    const std::string_view line = next_line(left);
    if (line.empty()) continue;
    const size_t first = line.find(','), last = line.rfind(',');
    if (first == std::string_view::npos || first == last) fail_line(path, number, "three fields were expected: a label, the pixels and the usage");
    if (unquoted(line.substr(last + 1)) != usage) continue;
    const auto emotion = unquoted(line.substr(0, first));
    if (emotion.size() != 1 || emotion[0] < '0' || emotion[0] > '6') fail_line(path, number, fmt::format("label '{}' is not one of 0 to 6", emotion));
    if (!append_pixels(unquoted(line.substr(first + 1, last - first - 1)), pictures.pixels))
      fail_line(path, number, fmt::format("{} pixels of 0 to 255 were expected", kSide * kSide));
    pictures.labels.push_back(emotion[0] - '0');
  }
  if (pictures.labels.empty()) throw Error(path.string(), "has no row with Usage " + usage);
}

}  // namespace kinglet::data
