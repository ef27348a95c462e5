#include "base/resources.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"

namespace kinglet {

namespace fs = std::filesystem;

namespace {

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? value : "";
}

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

std::string variable_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "KINGLET_" + name;
}

}  // namespace

fs::path resource_folder(const std::string& name) {
  const std::string variable = variable_of(name), set = environment(variable);
  const fs::path candidates[]{set.empty() ? program_folder() / ".." / "share" / "kinglet" / name : fs::path(set),
                              set.empty() ? fs::path(KINGLET_SOURCE_ROOT) / name : fs::path(set)};
  for (const auto& folder : candidates)
    if (fs::is_directory(folder)) return folder;
  throw Error(candidates[1].string(), "this folder, shipped with Kinglet, is missing", "set " + variable + " to it", ErrorKind::missing_dependency);
}

fs::path cache_folder(const std::string& name) {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "kinglet" / name;
  const auto home = environment("HOME");
  if (home.empty()) throw Error("HOME", "is not set, so there is no ~/.cache/kinglet/" + name, "set HOME", ErrorKind::missing_dependency);
  return fs::path(home) / ".cache" / "kinglet" / name;
}

}  // namespace kinglet
