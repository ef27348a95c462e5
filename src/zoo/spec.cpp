#include <charconv>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

constexpr int kMaxSide = 4096, kMaxClasses = 100000;

[[noreturn]] void refuse_at(const std::string& where, const std::string& what, const std::string& hint) { throw Error(where, what, hint, ErrorKind::usage); }

std::string place(const std::string& text) { return "model '" + text + "'"; }

[[noreturn]] void refuse(const std::string& text, const std::string& what, const std::string& hint) { refuse_at(place(text), what, hint); }

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

int to_int(const std::string& word, const std::string& where, int low, int high, const std::string& hint) {
  int value = 0;
  auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || value < low || value > high)
    refuse_at(where, "'" + word + "' is not a whole number from " + std::to_string(low) + " to " + std::to_string(high), hint);
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

constexpr const char* kForm = "write it like name@width,HxWxC,classes";

}  // namespace

void parse_size(const std::string& word, const std::string& where, Spec& spec) {
  auto sides = split(word, 'x');
  if (sides.size() != 3) refuse_at(where, "'" + word + "' is not an input size", "height x width x channels, for example 32x32x3");
  spec.height = to_int(sides[0], where, 8, kMaxSide, "a side of the picture");
  spec.width_px = to_int(sides[1], where, 8, kMaxSide, "a side of the picture");
  spec.channels = to_int(sides[2], where, 1, 3, "1 for gray, 3 for colour");
  if (spec.channels == 2) refuse_at(where, "pictures have 1 or 3 channels, not 2", "");
}

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
  parse_size(words[next++], place(text), spec);
  spec.classes = to_int(words[next++], place(text), 2, kMaxClasses, kForm);
  for (; next < words.size(); ++next) {
    const size_t equals = words[next].find('=');
    if (equals == std::string::npos) refuse(text, "'" + words[next] + "' is not key=value", usage);
    spec.options[words[next].substr(0, equals)] = words[next].substr(equals + 1);
  }
  return spec;
}

}  // namespace kinglet::zoo
