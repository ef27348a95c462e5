// Where files that are no program live: those shipped with Kinglet (datasets/, models/, contracts/, profiles/), and the
// cache of what was fetched.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace kinglet {

/// The shipped folder `name`: $KINGLET_NAME (in capitals), else <program's folder>/../share/kinglet/name, else the source
/// tree's; nullopt when there is none, as where only the program was copied.
std::optional<std::filesystem::path> find_resource_folder(const std::string& name);
/// Throws Error (missing_dependency) when there is none.
std::filesystem::path resource_folder(const std::string& name);

/// $XDG_CACHE_HOME/kinglet/name, else ~/.cache/kinglet/name; may not exist yet. Throws Error when HOME is not set either.
std::filesystem::path cache_folder(const std::string& name);

}  // namespace kinglet
