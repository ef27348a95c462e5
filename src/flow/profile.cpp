#include "flow/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "flow/measures.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

std::vector<DType> types_at(const Json& json, const char* key, const std::string& where) {
  std::vector<DType> types;
  for (const auto& name : json_at_or<std::vector<std::string>>(json, key, where)) types.push_back(dtype_from_name(name));
  return types;
}

std::optional<int64_t> bound(const Json& json, const std::string& where) {
  if (json.is_null()) return std::nullopt;
  if (!json.is_number_integer()) throw Error(where, "a bound is a whole number or null");
  return json.get<int64_t>();
}

/// {"stride_h": [1, 3], "channels": {"multiple_of": 8}, "batch": 1}
std::vector<Limit> parse_limits(const Json& json, const std::vector<std::string>& known, const std::string& where) {
  std::vector<Limit> limits;
  refuse_unknown_keys(json, known, where);
  for (const auto& [measure, value] : json.items()) {
    Limit limit{measure, {}, {}, 1};
    const std::string place = where + ": " + measure;
    if (value.is_number_integer())
      limit.low = limit.high = value.get<int64_t>();
    else if (value.is_array() && value.size() == 2)
      limit.low = bound(value[0], place), limit.high = bound(value[1], place);
    else if (value.is_object())
      limit.multiple_of = json_at<int64_t>(value, "multiple_of", place), limit.low = json_at_or<int64_t>(value, "from", place, 1);
    else
      throw Error(place, "must be a number, [low, high] or {\"multiple_of\": n}");
    if (limit.multiple_of < 1) throw Error(place, "multiple_of must be at least 1");
    limits.push_back(limit);
  }
  return limits;
}

Case parse_case(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"when", "limits", "hint", "advice"}, where);
  Case c;
  if (json.contains("when")) c.when = parse_limits(json["when"], measure_names(), where);
  c.limits = parse_limits(json_at<Json>(json, "limits", where), measure_names(), where);
  c.hint = json_at_or<std::string>(json, "hint", where);
  c.advice = json_at_or<bool>(json, "advice", where);
  return c;
}

OperatorRule parse_operator(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"activations", "weights", "limits", "cases", "note"}, where);
  OperatorRule rule;
  rule.activations = types_at(json, "activations", where);
  rule.weights = types_at(json, "weights", where);
  rule.note = json_at_or<std::string>(json, "note", where);
  if (json.contains("limits")) rule.cases.push_back({{}, parse_limits(json["limits"], measure_names(), where), "", false});
  for (const Json& c : json_at_or<Json>(json, "cases", where, Json::array())) rule.cases.push_back(parse_case(c, where));
  return rule;
}

InterfaceRule parse_interface(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"inputs", "outputs", "input_types", "output_types", "size", "bytes_as_they_are", "input_scale"}, where);
  InterfaceRule rule;
  if (json.contains("inputs")) rule.inputs = json_at<int>(json, "inputs", where);
  if (json.contains("outputs")) rule.outputs = json_at<int>(json, "outputs", where);
  if (json.contains("input_scale")) rule.input_scale = json_at<double>(json, "input_scale", where);
  rule.input_types = types_at(json, "input_types", where);
  rule.output_types = types_at(json, "output_types", where);
  if (json.contains("size")) rule.size = parse_limits(json["size"], {"height", "width", "channels"}, where);
  rule.bytes_as_they_are = json_at_or<bool>(json, "bytes_as_they_are", where);
  return rule;
}

Profile parse_profile(const Json& json, const std::string& where) {
  refuse_unknown_keys(json,
                      {"name", "title", "sources", "notes", "fallback", "runs_elsewhere", "activations", "limits", "operators", "same_as",
                       "interface", "activation_bytes"},
                      where);
  Profile p;
  if (json.contains("same_as")) p = load_profile(json_at<std::string>(json, "same_as", where));
  p.name = json_at<std::string>(json, "name", where);
  p.title = json_at<std::string>(json, "title", where);
  p.sources = json_at<std::vector<std::string>>(json, "sources", where);
  p.notes = json_at_or<std::vector<std::string>>(json, "notes", where, p.notes);
  p.fallback = json_at_or<std::string>(json, "fallback", where, p.fallback);
  p.runs_elsewhere = json_at_or<std::string>(json, "runs_elsewhere", where, p.runs_elsewhere);
  if (json.contains("activations")) p.activations = types_at(json, "activations", where);
  if (json.contains("limits")) p.limits = parse_limits(json["limits"], measure_names(), where + ": limits");
  const Json operators = json_at_or<Json>(json, "operators", where, Json::object());
  for (const auto& [name, rule] : operators.items()) p.operators[name] = parse_operator(rule, where + ": operators." + name);
  if (json.contains("interface")) p.interface = parse_interface(json["interface"], where + ": interface");
  p.activation_bytes = json_at_or<int64_t>(json, "activation_bytes", where, p.activation_bytes);
  return p;
}

}  // namespace

bool Limit::holds(int64_t value) const { return (!low || value >= *low) && (!high || value <= *high) && value % multiple_of == 0; }

std::string Limit::allowed() const {
  std::string text;
  if (low && high)
    text = *low == *high ? std::to_string(*low) : fmt::format("{} to {}", *low, *high);
  else if (high)
    text = fmt::format("at most {}", *high);
  else if (low && (multiple_of == 1 || *low > 1))
    text = fmt::format("at least {}", *low);
  if (multiple_of > 1) text += fmt::format("{}a multiple of {}", text.empty() ? "" : " and ", multiple_of);
  return text;
}

std::vector<std::string> list_profiles() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(resource_folder("profiles")))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Profile load_profile(const std::string& name) {
  const auto names = list_profiles();
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw Error(name, "is no profile", did_you_mean(name, names), ErrorKind::usage);
  const fs::path path = resource_folder("profiles") / (name + ".json");
  return parse_profile(parse_json(read_text_file(path, uint64_t{1} << 20), path.string()), path.string());
}

}  // namespace kinglet::flow
