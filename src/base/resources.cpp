#include "base/resources.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

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

std::optional<fs::path> find_resource_folder(const std::string& name) {
  const std::string set = environment(variable_of(name));
  std::vector<fs::path> candidates{set};
  if (set.empty()) candidates = {program_folder() / ".." / "share" / "kinglet" / name, fs::path(KINGLET_SOURCE_ROOT) / name};
  for (const auto& folder : candidates)
    if (fs::is_directory(folder)) return folder;
  return std::nullopt;
}

fs::path resource_folder(const std::string& name) {
  if (const auto folder = find_resource_folder(name)) return *folder;
  throw Error(name, "this folder, shipped with Kinglet, is missing", "set " + variable_of(name) + " to it", ErrorKind::missing_dependency);
}

fs::path cache_folder(const std::string& name) {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "kinglet" / name;
  const auto home = environment("HOME");
  if (home.empty()) throw Error("HOME", "is not set, so there is no ~/.cache/kinglet/" + name, "set HOME", ErrorKind::missing_dependency);
  return fs::path(home) / ".cache" / "kinglet" / name;
}

}  // namespace kinglet
