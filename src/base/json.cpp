#include "base/json.h"

#include "base/error.h"

namespace kinglet {

Json parse_json(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    throw Error(where, std::string("is not valid JSON: ") + e.what());
  }
}

void json_key_error(const std::string& key, const std::string& where, const std::string& why) {
  throw Error(where, "key '" + key + "' " + why);
}

}  // namespace kinglet
