// Fetching public files: over HTTP(S) only, resumed where an earlier try stopped, and kept only with the right sum.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/progress.h"

namespace kinglet::data {

/// Fetches the first of `urls` that works into `path`. Bytes gather in path.part, which a later call goes on with (HTTP
/// Range; a server without ranges starts again). A connection that breaks is taken up again as long as each try brings
/// bytes, three times without. A file with a wrong sum is deleted and the next address tried. `bytes` (0: not known) bounds
/// what a server may send. `sum` is a SHA-256, or the SHA-1 (40 digits) of a publisher who gives no better. Throws Error (missing_dependency) with what each address answered.
void download(std::span<const std::string> urls, const std::filesystem::path& path, const std::string& sum, uint64_t bytes = 0,
              const ProgressCallback& progress = {});
void download(const std::string& url, const std::filesystem::path& path, const std::string& sum, const ProgressCallback& progress = {});

struct UnpackLimits {
  uint64_t bytes = uint64_t{4} << 30;  ///< of all files together
  uint64_t files = 2'000'000;
  double ratio = 200;                  ///< unpacked by packed bytes
};
/// Unpacks tar (plain, gz, xz, zst) or zip into `folder`. Files and folders only: links and devices are refused, as are
/// absolute paths, ".." and anything above the limits. Works in a folder beside, so `folder` gets all entries or none.
void unpack_archive(const std::filesystem::path& archive, const std::filesystem::path& folder, const UnpackLimits& limits = {},
                    const ProgressCallback& progress = {});

}  // namespace kinglet::data
