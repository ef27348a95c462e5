// A ZIP in memory, read through its central directory (PKWARE's APPNOTE 4.3; ZIP64 included). Only what is asked for is
// unpacked, and never more than a budget that grows with the archive's own size: a ZIP bomb ends as an Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kinglet::formats {

class ZipArchive {
 public:
  /// True if the bytes begin like a ZIP.
  static bool looks_like(std::span<const std::byte> bytes);

  /// Reads the directory. `bytes` must outlive the archive. Throws Error opened by `where` for damage, encryption, several
  /// disks, or more than 65,536 files.
  ZipArchive(std::span<const std::byte> bytes, std::string where);

  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view name) const { return entries_.count(std::string(name)) > 0; }
  /// The contents of a file: a view of the archive where it is stored as it is, else unpacked (deflate) and kept. The checksum is
  /// checked. Throws Error for an unknown name, damage, or when the budget (64 times the archive and 16 MiB) is spent.
  std::span<const std::byte> read(const std::string& name);

 private:
  struct Entry {
    uint16_t method = 0;
    uint32_t crc = 0;
    uint64_t packed = 0, unpacked = 0, local_header = 0;
    std::vector<std::byte> unpacked_bytes;
    std::span<const std::byte> contents;  ///< once read
    bool read = false;
  };

  void read_directory();
  std::span<const std::byte> packed_bytes(const Entry& entry, const std::string& name) const;
  void spend(uint64_t bytes, const std::string& name);

  std::span<const std::byte> bytes_;
  std::string where_;
  uint64_t left_bytes_;
  std::vector<std::string> names_;  ///< in the directory's order
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace kinglet::formats
