#include <charconv>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "zoo/zoo.h"

namespace kinglet::zoo {

namespace {

constexpr int kMaxSide = 4096, kMaxClasses = 100000;

[[noreturn]] void refuse(const std::string& text, const std::string& what, const std::string& hint) {
  throw Error("model '" + text + "'", what, hint, ErrorKind::usage);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

int to_int(const std::string& word, const std::string& text, int low, int high) {
  int value = 0;
  auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || value < low || value > high)
    refuse(text, "'" + word + "' is not a whole number from " + std::to_string(low) + " to " + std::to_string(high),
           "write it like name@width,HxWxC,classes");
  return value;
}

const Row& find_row(const std::string& arch, const std::string& text) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    if (row.name == arch) return row;
    names.push_back(row.name);
  }
  refuse(text, "no architecture is called '" + arch + "'", did_you_mean(arch, names));
}

bool is_width(const std::string& word) { return word.find('x') == std::string::npos; }

double to_width(const std::string& word, const std::string& text) {
  double value = 0;
  auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || !(value >= 0.05 && value <= 8))
    refuse(text, "'" + word + "' is not a width from 0.05 to 8", "for example 0.35");
  return value;
}

void read_size(const std::string& word, Spec& spec) {
  auto sides = split(word, 'x');
  if (sides.size() != 3) refuse(spec.text, "'" + word + "' is not an input size", "height x width x channels, for example 32x32x3");
  spec.height = to_int(sides[0], spec.text, 8, kMaxSide);
  spec.width_px = to_int(sides[1], spec.text, 8, kMaxSide);
  spec.channels = to_int(sides[2], spec.text, 1, 3);
  if (spec.channels == 2) refuse(spec.text, "pictures have 1 or 3 channels, not 2", "");
}

}  // namespace

Spec parse_spec(const std::string& text) {
  Spec spec;
  spec.text = text;
  const size_t at = text.find('@');
  spec.arch = text.substr(0, at);
  const Row& row = find_row(spec.arch, text);
  const std::string usage = "for example " + row.example;
  if (at == std::string::npos) refuse(text, "says nothing of input and classes", usage);
  auto words = split(text.substr(at + 1), ',');
  size_t next = 0;
  spec.width_given = is_width(words[next]);
  if (spec.width_given) spec.width = to_width(words[next++], text);
  if (next + 2 > words.size()) refuse(text, "needs an input size and a number of classes", usage);
  read_size(words[next++], spec);
  spec.classes = to_int(words[next++], text, 2, kMaxClasses);
  for (; next < words.size(); ++next) {
    const size_t equals = words[next].find('=');
    if (equals == std::string::npos) refuse(text, "'" + words[next] + "' is not key=value", usage);
    spec.options[words[next].substr(0, equals)] = words[next].substr(equals + 1);
  }
  return spec;
}

}  // namespace kinglet::zoo
