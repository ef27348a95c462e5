// The ZIP that TensorFlow Lite tools append to a model: read with limits, written without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kinglet::formats::tflite {

struct ZipEntry {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Text files (up to 4 MiB each, 16 MiB and 64 files together) of the ZIP at the end of `file`; none if there is no ZIP.
/// Throws Error opened by `where` for a damaged archive or one beyond the limits.
std::vector<ZipEntry> read_appended_zip(std::span<const std::byte> file, const std::string& where);

/// The bytes to append to a file of `offset` bytes: stored entries whose offsets count from the start of the whole file, as
/// TensorFlow Lite's own metadata library writes them. Times are 1980-01-01, so equal input gives equal bytes.
std::vector<std::byte> zip_to_append(std::span<const ZipEntry> entries, uint64_t offset);

}  // namespace kinglet::formats::tflite
