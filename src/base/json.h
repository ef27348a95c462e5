// JSON (nlohmann) under one name, parsed with an Error instead of its own exceptions. Keys keep their order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kinglet {

using Json = nlohmann::ordered_json;

/// Throws Error("where: is not valid JSON: line ...").
Json parse_json(std::string_view text, const std::string& where);

/// json[key] as T; throws Error naming the key when it is absent or of another type.
template <class T>
T json_at(const Json& json, const std::string& key, const std::string& where);

/// json_at where the key is there, else `otherwise`.
template <class T>
T json_at_or(const Json& json, const std::string& key, const std::string& where, T otherwise = {});

/// Throws Error naming a key that is none of `known`, with a suggestion, or where `json` is no object.
void refuse_unknown_keys(const Json& json, const std::vector<std::string>& known, const std::string& where);

[[noreturn]] void json_key_error(const std::string& key, const std::string& where, const std::string& why);

template <class T>
T json_at(const Json& json, const std::string& key, const std::string& where) {
  auto it = json.is_object() ? json.find(key) : json.end();
  if (it == json.end()) json_key_error(key, where, "is missing");
  try {
    return it->template get<T>();
  } catch (const nlohmann::json::exception&) {
    json_key_error(key, where, "has the wrong type");
  }
}

template <class T>
T json_at_or(const Json& json, const std::string& key, const std::string& where, T otherwise) {
  return json.contains(key) ? json_at<T>(json, key, where) : otherwise;
}

}  // namespace kinglet
