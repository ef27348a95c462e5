#include "base/json.h"

#include <algorithm>

#include "base/did_you_mean.h"
#include "base/error.h"

namespace kinglet {

namespace {
constexpr int kMaxDepth = 256;
}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
      if (depth > kMaxDepth) throw Error(where, "nests deeper than " + std::to_string(kMaxDepth));  // whoever prints or copies it recurses
      return true;
    });
  } catch (const nlohmann::json::exception& e) {
    throw Error(where, std::string("is not valid JSON: ") + e.what());
  }
}

void json_key_error(const std::string& key, const std::string& where, const std::string& why) {
  throw Error(where, "key '" + key + "' " + why);
}

void refuse_unknown_keys(const Json& json, const std::vector<std::string>& known, const std::string& where) {
  if (!json.is_object()) throw Error(where, "must be an object");
  for (const auto& [key, value] : json.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) throw Error(where, "has an unknown key '" + key + "'", did_you_mean(key, known));
}

}  // namespace kinglet
