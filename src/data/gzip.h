// Whole gzip files in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace kinglet::data {

bool is_gzip(std::span<const std::byte> bytes);
/// Throws Error naming `where` when damaged, cut off, or larger than limit_bytes when unpacked.
std::vector<std::byte> gunzip(std::span<const std::byte> bytes, const std::string& where, size_t limit_bytes = size_t{2} << 30);
/// A file's bytes, unpacked when it is gzipped (by content, not by name).
std::vector<std::byte> read_maybe_gzip(const std::filesystem::path& path);

}  // namespace kinglet::data
