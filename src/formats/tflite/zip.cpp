#include "formats/tflite/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"

namespace kinglet::formats::tflite {

namespace {

constexpr size_t kMaxEntryBytes = size_t{4} << 20, kMaxTotalBytes = size_t{16} << 20, kMaxEntries = 64;
/// The end record is 22 bytes and a comment of up to 65535.
constexpr size_t kEndRecordBytes = 22, kMaxCommentBytes = 65535;
constexpr std::string_view kEndSignature("PK\5\6", 4);

bool has_end_record(std::span<const std::byte> file) {
  if (file.size() < kEndRecordBytes) return false;
  const auto tail = file.last(std::min(file.size(), kEndRecordBytes + kMaxCommentBytes));
  return std::string_view(reinterpret_cast<const char*>(tail.data()), tail.size()).find(kEndSignature) != std::string_view::npos;
}

struct CloseArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& where)
      : where_(where + ": the ZIP behind the model"), archive_(archive_read_new()) {
    check(archive_read_support_format_zip_seekable(archive_.get()));
    check(archive_read_open_memory(archive_.get(), file.data(), file.size()));
  }

  std::vector<ZipEntry> entries() {
    std::vector<ZipEntry> list;
    archive_entry* entry = nullptr;
    for (size_t seen = 0;; ++seen) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) return list;
      check(status);
      if (seen == kMaxEntries) throw Error(where_, fmt::format("holds more than {} files", kMaxEntries));
      const char* name = archive_entry_pathname(entry);
      if (name && archive_entry_filetype(entry) == AE_IFREG) list.push_back({name, contents(name)});
    }
  }

 private:
  void check(int status) const {
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail();
  }

  [[noreturn]] void fail() const {
    const char* reason = archive_error_string(archive_.get());
    throw Error(where_, fmt::format("cannot be read ({})", reason ? reason : "damaged"));
  }

  std::vector<std::byte> contents(const std::string& name) {
    std::vector<std::byte> bytes, block(size_t{1} << 16);
    for (;;) {
      const la_ssize_t n = archive_read_data(archive_.get(), block.data(), block.size());
      if (n == 0) return bytes;
      if (n < 0) fail();
      const auto got = static_cast<size_t>(n);
      total_ += got;
      if (bytes.size() + got > kMaxEntryBytes || total_ > kMaxTotalBytes)
        throw Error(where_, "unpacks to more than is allowed at '" + name + "'");
      bytes.insert(bytes.end(), block.begin(), block.begin() + n);
    }
  }

  std::string where_;
  std::unique_ptr<archive, CloseArchive> archive_;
  size_t total_ = 0;
};

/// What local header and central directory say alike of an entry (PKWARE's APPNOTE, 4.3.7 and 4.3.12).
void write_common(ByteWriter& out, const ZipEntry& entry) {
  constexpr uint16_t kVersion = 20, kUtf8Names = 1 << 11, kStored = 0, kMidnight = 0, kFirstOf1980 = 1 << 5 | 1;
  for (uint16_t field : {kVersion, kUtf8Names, kStored, kMidnight, kFirstOf1980}) out.write<uint16_t>(field);
  const auto size = static_cast<uint32_t>(entry.bytes.size());
  out.write<uint32_t>(static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(entry.bytes.data()), size)));
  out.write<uint32_t>(size);
  out.write<uint32_t>(size);
  out.write<uint16_t>(static_cast<uint16_t>(entry.name.size()));
  out.write<uint16_t>(0);
}

void write_central(ByteWriter& out, const ZipEntry& entry, uint64_t local_offset) {
  constexpr uint16_t kMadeOnUnix = 3 << 8 | 20;
  constexpr uint32_t kRegularFile0644 = 0100644u << 16;
  out.append(std::string_view("PK\1\2", 4));
  out.write<uint16_t>(kMadeOnUnix);
  write_common(out, entry);
  out.write<uint16_t>(0), out.write<uint16_t>(0), out.write<uint16_t>(0);
  out.write<uint32_t>(kRegularFile0644);
  out.write<uint32_t>(static_cast<uint32_t>(local_offset));
  out.append(entry.name);
}

}  // namespace

std::vector<ZipEntry> read_appended_zip(std::span<const std::byte> file, const std::string& where) {
  return has_end_record(file) ? Reader(file, where).entries() : std::vector<ZipEntry>{};
}

std::vector<std::byte> zip_to_append(std::span<const ZipEntry> entries, uint64_t offset) {
  ByteWriter out;
  std::vector<uint64_t> locals;
  for (const ZipEntry& entry : entries) {
    locals.push_back(offset + out.at());
    out.append(std::string_view("PK\3\4", 4));
    write_common(out, entry);
    out.append(entry.name);
    out.append(entry.bytes);
  }
  const size_t central = out.at();
  for (size_t i = 0; i < entries.size(); ++i) write_central(out, entries[i], locals[i]);
  const size_t central_bytes = out.at() - central;
  KINGLET_CHECK(offset + out.at() < std::numeric_limits<uint32_t>::max());
  out.append(kEndSignature);
  out.write<uint16_t>(0), out.write<uint16_t>(0);
  out.write<uint16_t>(static_cast<uint16_t>(entries.size())), out.write<uint16_t>(static_cast<uint16_t>(entries.size()));
  out.write<uint32_t>(static_cast<uint32_t>(central_bytes));
  out.write<uint32_t>(static_cast<uint32_t>(offset + central));
  out.write<uint16_t>(0);
  return std::move(out.bytes());
}

}  // namespace kinglet::formats::tflite
