// How long work tells its caller where it stands; libraries never print.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kinglet {

struct Progress {
  std::string stage;     ///< "evaluate", "calibrate", "download"
  int64_t done = 0;      ///< units finished
  int64_t total = 0;     ///< 0 when not known
  std::string unit;      ///< "pictures", "bytes"
};

using ProgressCallback = std::function<void(const Progress&)>;

/// Warnings a user should see (an assumed contract, a skipped file); the edge decides how to show them.
using WarningCallback = std::function<void(const std::string&)>;

}  // namespace kinglet
