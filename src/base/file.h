// Whole-file reading with a size limit, and writing that leaves either the old file or the complete new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kinglet {

/// Throws Error (with the system's reason) when the file cannot be read or is larger than `limit_bytes`.
std::vector<std::byte> read_file(const std::filesystem::path& path, uint64_t limit_bytes = uint64_t{4} << 30);
std::string read_text_file(const std::filesystem::path& path, uint64_t limit_bytes = uint64_t{64} << 20);

/// Writes to a temporary name beside `path`, syncs and renames; on any failure (a full disk too) the temporary file is
/// removed, an older `path` stays as it was, and an Error says why. Creates missing parent folders.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace kinglet
