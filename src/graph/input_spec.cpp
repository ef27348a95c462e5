#include "graph/input_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "base/did_you_mean.h"
#include "base/error.h"

namespace kinglet::graph {

namespace {

constexpr std::array<std::string_view, 3> kOrders{"rgb", "bgr", "gray"};
constexpr std::array<std::string_view, 3> kResizes{"stretch", "crop", "letterbox"};
constexpr std::array<std::string_view, 3> kFilters{"nearest", "bilinear", "area"};
constexpr std::array<std::string_view, 3> kCoordinates{"half_pixel", "asymmetric", "align_corners"};
constexpr std::array<std::string_view, 6> kOrigins{"flag", "embedded", "metadata", "known_file", "inferred", "assumed"};
/// The fields that have an origin; "origins" itself has none.
constexpr std::array<std::string_view, 12> kFields{"size", "order", "resize", "crop", "letterbox_value", "filter", "antialias",
                                                   "coordinates", "gray_weights", "divisor", "mean", "std"};

template <class Enum, size_t N>
Enum pick(const std::array<std::string_view, N>& names, const std::string& text, const std::string& where, ErrorKind kind) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  const std::vector<std::string> known(names.begin(), names.end());
  throw Error(where, "'" + text + "' is not known", did_you_mean(text, known), kind);
}

template <class Enum, size_t N>
void read_enum(const Json& json, const char* key, const std::array<std::string_view, N>& names, Enum& field, const std::string& where) {
  field = pick<Enum>(names, json_at<std::string>(json, key, where), where + ": " + key, ErrorKind::bad_input);
}

void check_sane(const InputSpec& s, const std::string& where, ErrorKind kind) {
  auto fail = [&](const std::string& what) { throw Error(where, what, {}, kind); };
  if (s.height < 1 || s.width < 1 || s.height > 16384 || s.width > 16384) fail(fmt::format("size {}x{} is out of range", s.height, s.width));
  if (s.channels != 1 && s.channels != 3) fail(fmt::format("{} channels are not supported (1 or 3)", s.channels));
  if ((s.order == ColorOrder::gray) != (s.channels == 1)) fail("order gray goes with one channel, rgb and bgr with three");
  if (!(s.crop_fraction > 0 && s.crop_fraction <= 1)) fail("crop must be above 0 and at most 1");
  if (!(s.divisor > 0) || !std::isfinite(s.divisor)) fail("divisor must be above 0");
  for (const auto* list : {&s.mean, &s.stddev})
    if (!list->empty() && list->size() != static_cast<size_t>(s.channels)) fail(fmt::format("mean and std need {} numbers", s.channels));
  for (double d : s.mean)
    if (!std::isfinite(d)) fail("mean must be finite");
  for (double d : s.stddev)
    if (!(d > 0) || !std::isfinite(d)) fail("std must be above 0");
}

double number(const std::string& text, const std::string& where) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw Error(where, "'" + text + "' is not a number", {}, ErrorKind::usage);
  return value;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t i = text.find(at); ; i = text.find(at, start)) {
    parts.push_back(text.substr(start, i - start));
    if (i == std::string::npos) return parts;
    start = i + 1;
  }
}

std::vector<double> numbers(const std::string& text, const std::string& where) {
  std::vector<double> list;
  for (const auto& part : split(text, '/')) list.push_back(number(part, where));
  return list;
}

/// One value for all channels may be written once.
std::vector<double> channel_numbers(const std::string& text, int channels, const std::string& where) {
  auto list = numbers(text, where);
  if (list.size() == 1) list.resize(static_cast<size_t>(channels), list[0]);
  return list;
}

void override_field(InputSpec& s, const std::string& key, const std::string& text, const std::string& where) {
  constexpr auto kUsage = ErrorKind::usage;
  if (key == "size") {
    auto parts = split(text, 'x');
    s.height = static_cast<int>(number(parts[0], where));
    s.width = static_cast<int>(number(parts.back(), where));
  } else if (key == "order") {
    s.order = pick<ColorOrder>(kOrders, text, where, kUsage);
  } else if (key == "resize") {
    s.resize = pick<ResizeMode>(kResizes, text, where, kUsage);
  } else if (key == "crop") {
    s.crop_fraction = number(text, where);
    s.resize = ResizeMode::crop;
  } else if (key == "letterbox_value") {
    s.letterbox_value = static_cast<uint8_t>(std::clamp(number(text, where), 0.0, 255.0));
  } else if (key == "filter") {
    s.filter = pick<ResizeFilter>(kFilters, text, where, kUsage);
  } else if (key == "antialias") {
    if (text != "true" && text != "false") throw Error(where, "'" + text + "' is neither true nor false", {}, kUsage);
    s.antialias = text == "true";
  } else if (key == "coordinates") {
    s.coordinates = pick<Coordinates>(kCoordinates, text, where, kUsage);
  } else if (key == "divisor") {
    s.divisor = number(text, where);
  } else if (key == "mean") {
    s.mean = channel_numbers(text, s.channels, where);
  } else if (key == "std") {
    s.stddev = channel_numbers(text, s.channels, where);
  } else if (key == "gray_weights") {
    auto list = numbers(text, where);
    if (list.size() != 3) throw Error(where, "gray_weights needs three numbers, R/G/B in 1/65536", {}, kUsage);
    for (size_t i = 0; i < 3; ++i) s.gray_weights[i] = static_cast<int>(list[i]);
  }
}

}  // namespace

double InputSpec::real_value(uint8_t byte, int channel) const {
  const auto c = static_cast<size_t>(channel);
  const double centered = byte / divisor - (mean.empty() ? 0.0 : mean.at(c));
  return centered / (stddev.empty() ? 1.0 : stddev.at(c));
}

Json input_spec_to_json(const InputSpec& s) {
  Json json = {{"size", {s.height, s.width, s.channels}},
               {"order", kOrders[static_cast<size_t>(s.order)]},
               {"resize", kResizes[static_cast<size_t>(s.resize)]},
               {"crop", s.crop_fraction},
               {"letterbox_value", s.letterbox_value},
               {"filter", kFilters[static_cast<size_t>(s.filter)]},
               {"antialias", s.antialias},
               {"coordinates", kCoordinates[static_cast<size_t>(s.coordinates)]},
               {"gray_weights", s.gray_weights},
               {"divisor", s.divisor},
               {"mean", s.mean},
               {"std", s.stddev}};
  Json origins = Json::object();
  for (const auto& [field, origin] : s.origins) origins[field] = origin_name(origin);
  json["origins"] = origins;
  return json;
}

InputSpec input_spec_from_json(const Json& json, const std::string& where) {
  std::vector<std::string> known(kFields.begin(), kFields.end());
  known.emplace_back("origins");
  if (!json.is_object()) throw Error(where, "an input contract must be a JSON object");
  for (const auto& [key, item] : json.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) throw Error(where, "unknown key '" + key + "'", did_you_mean(key, known));
  InputSpec s;
  auto size = json_at<std::array<int, 3>>(json, "size", where);
  s.height = size[0], s.width = size[1], s.channels = size[2];
  read_enum(json, "order", kOrders, s.order, where);
  read_enum(json, "resize", kResizes, s.resize, where);
  read_enum(json, "filter", kFilters, s.filter, where);
  read_enum(json, "coordinates", kCoordinates, s.coordinates, where);
  s.crop_fraction = json_at<double>(json, "crop", where);
  s.letterbox_value = json_at<uint8_t>(json, "letterbox_value", where);
  s.antialias = json_at<bool>(json, "antialias", where);
  s.gray_weights = json_at<std::array<int, 3>>(json, "gray_weights", where);
  s.divisor = json_at<double>(json, "divisor", where);
  s.mean = json_at<std::vector<double>>(json, "mean", where);
  s.stddev = json_at<std::vector<double>>(json, "std", where);
  if (json.contains("origins"))
    for (const auto& [field, name] : json["origins"].items()) {
      if (!name.is_string()) throw Error(where, "origins." + field + " must be text");
      s.origins[field] = pick<Origin>(kOrigins, name.get<std::string>(), where + ": origins." + field, ErrorKind::bad_input);
    }
  check_sane(s, where, ErrorKind::bad_input);
  return s;
}

void override_input_spec(InputSpec& spec, const std::string& text) {
  const std::vector<std::string> known(kFields.begin(), kFields.end());
  for (const auto& part : split(text, ',')) {
    const size_t at = part.find('=');
    if (at == std::string::npos) throw Error("--input", "'" + part + "' is not key=value", {}, ErrorKind::usage);
    std::string key = part.substr(0, at);
    if (key == "scale") key = "divisor";
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error("--input", "unknown key '" + key + "'", did_you_mean(key, known), ErrorKind::usage);
    override_field(spec, key, part.substr(at + 1), "--input " + key);
    spec.origins[key] = Origin::flag;
    if (key == "crop") spec.origins["resize"] = Origin::flag;
  }
  check_sane(spec, "--input", ErrorKind::usage);
}

std::string_view origin_name(Origin origin) { return kOrigins[static_cast<size_t>(origin)]; }

std::vector<std::string> weak_fields(const InputSpec& spec) {
  std::vector<std::string> weak;
  for (std::string_view field : kFields) {
    auto it = spec.origins.find(std::string(field));
    if (it == spec.origins.end() || it->second > Origin::known_file) weak.emplace_back(field);
  }
  return weak;
}

void set_origins(InputSpec& spec, Origin origin) {
  for (std::string_view field : kFields) spec.origins[std::string(field)] = origin;
}

std::string describe(const InputSpec& s) {
  constexpr std::array<std::string_view, 3> kColors{"RGB", "BGR", "gray"};
  std::string text = fmt::format("{}x{} {}, ", s.height, s.width, kColors[static_cast<size_t>(s.order)]);
  if (s.resize == ResizeMode::crop) text += fmt::format("centre crop {:.4g}, ", s.crop_fraction);
  else text += s.resize == ResizeMode::stretch ? "stretched, " : fmt::format("letterboxed with {}, ", s.letterbox_value);
  text += fmt::format("{}{} ({}), ", kFilters[static_cast<size_t>(s.filter)], s.antialias && s.filter == ResizeFilter::bilinear ? " antialiased" : "",
                      kCoordinates[static_cast<size_t>(s.coordinates)]);
  std::string value = s.divisor == 1.0 ? "x" : fmt::format("x/{:.6g}", s.divisor);
  if (!s.mean.empty()) value = fmt::format("({} - {:.6g})", value, fmt::join(s.mean, "|"));
  if (!s.stddev.empty()) value += fmt::format(" / {:.6g}", fmt::join(s.stddev, "|"));
  return text + value;
}

}  // namespace kinglet::graph
