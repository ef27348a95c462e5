#include "formats/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/bytes.h"
#include "formats/text.h"

namespace kinglet::formats {

namespace {

constexpr size_t kMaxEntries = 65536, kMaxNameBytes = 4096;
constexpr size_t kEndRecordBytes = 22, kMaxCommentBytes = 65535, kLocator64Bytes = 20;
constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr uint16_t kStored = 0, kDeflated = 8, kEncrypted = 1, kZip64Field = 1;
constexpr uint64_t kRatio = 64, kFreeBytes = uint64_t{16} << 20;

size_t find_end_record(std::span<const std::byte> bytes, const ByteReader& reader) {
  if (bytes.size() < kEndRecordBytes) reader.fail("is too short for a ZIP");
  const size_t last = bytes.size() - kEndRecordBytes, first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
  for (size_t at = last + 1; at-- > first;) {
    uint32_t signature;
    std::memcpy(&signature, bytes.data() + at, sizeof signature);
    if (signature == kEndSignature) return at;
  }
  reader.fail("is a ZIP without its directory");
}

struct Directory {
  uint64_t entries, offset;
};

/// The end record's 16 and 32 bit fields, or those of the ZIP64 record where they are saturated.
Directory read_end(std::span<const std::byte> bytes, ByteReader& reader) {
  const size_t end = find_end_record(bytes, reader);
  reader.seek(end + 8);
  Directory d{reader.read<uint16_t>(), 0};
  reader.seek(end + 16);
  d.offset = reader.read<uint32_t>();
  const bool saturated = d.entries == 0xFFFF || d.offset == 0xFFFFFFFF;
  if (!saturated || end < kLocator64Bytes) return d;
  reader.seek(end - kLocator64Bytes);
  if (reader.read<uint32_t>() != kLocator64Signature) return d;
  (void)reader.read<uint32_t>();
  reader.seek(reader.read<uint64_t>());
  if (reader.read<uint32_t>() != kEnd64Signature) reader.fail("has a damaged ZIP64 record");
  (void)reader.take(28);
  d.entries = reader.read<uint64_t>();
  (void)reader.read<uint64_t>();
  d.offset = reader.read<uint64_t>();
  return d;
}

std::vector<std::byte> inflate_raw(std::span<const std::byte> packed, uint64_t size, const std::string& where) {
  std::vector<std::byte> out(size);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(where, "cannot be unpacked");
  auto* in = reinterpret_cast<const Bytef*>(packed.data());
  stream.next_in = const_cast<Bytef*>(in);
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  const int status = inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) throw Error(where, "does not unpack to the size its directory states", "the file is damaged");
  return out;
}

}  // namespace

bool ZipArchive::looks_like(std::span<const std::byte> bytes) {
  constexpr std::string_view kSignature("PK\3\4", 4);
  return bytes.size() >= kEndRecordBytes && std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string where)
    : bytes_(bytes), where_(std::move(where)), left_bytes_(kRatio * bytes.size() + kFreeBytes) {
  read_directory();
}

void ZipArchive::read_directory() {
  ByteReader reader(bytes_, where_);
  const Directory directory = read_end(bytes_, reader);
  if (directory.entries > kMaxEntries) throw Error(where_, fmt::format("holds {} files; {} are supported", directory.entries, kMaxEntries));
  reader.seek(directory.offset);
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (reader.read<uint32_t>() != kCentralSignature) reader.fail("has a damaged ZIP directory");
    (void)reader.take(4);
    const auto flags = reader.read<uint16_t>();
    Entry entry;
    entry.method = reader.read<uint16_t>();
    (void)reader.take(4);
    entry.crc = reader.read<uint32_t>();
    entry.packed = reader.read<uint32_t>();
    entry.unpacked = reader.read<uint32_t>();
    const auto name_bytes = reader.read<uint16_t>(), extra_bytes = reader.read<uint16_t>(), comment_bytes = reader.read<uint16_t>();
    (void)reader.take(8);
    entry.local_header = reader.read<uint32_t>();
    if (name_bytes > kMaxNameBytes) reader.fail("has a file with an overlong name");
    const std::string name(reader.take_text(name_bytes));
    ByteReader extra(reader.take(extra_bytes), where_);
    while (extra.left() >= 4) {
      const auto id = extra.read<uint16_t>(), size = extra.read<uint16_t>();
      ByteReader field(extra.take(std::min<size_t>(size, extra.left())), where_);
      if (id != kZip64Field) continue;
      for (uint64_t* value : {&entry.unpacked, &entry.packed, &entry.local_header})
        if (*value == 0xFFFFFFFF && field.left() >= 8) *value = field.read<uint64_t>();
    }
    (void)reader.take(comment_bytes);
    if (flags & kEncrypted) throw Error(where_, "holds an encrypted file");
    if (entries_.emplace(name, std::move(entry)).second) names_.push_back(name);
  }
}

/// The local header states the name and extra field once more, in lengths of its own.
std::span<const std::byte> ZipArchive::packed_bytes(const Entry& entry, const std::string& name) const {
  ByteReader reader(bytes_, fmt::format("{}: {}", where_, clean_text(name)));
  reader.seek(entry.local_header);
  if (reader.read<uint32_t>() != kLocalSignature) reader.fail("has a damaged ZIP header");
  (void)reader.take(22);
  const auto name_bytes = reader.read<uint16_t>(), extra_bytes = reader.read<uint16_t>();
  (void)reader.take(size_t{name_bytes} + extra_bytes);
  return reader.take(entry.packed);
}

void ZipArchive::spend(uint64_t bytes, const std::string& name) {
  if (bytes > left_bytes_) throw Error(where_, fmt::format("unpacks to many times its own size at '{}'", clean_text(name)), "the file is damaged or hostile");
  left_bytes_ -= bytes;
}

std::span<const std::byte> ZipArchive::read(const std::string& name) {
  auto it = entries_.find(name);
  if (it == entries_.end()) throw Error(where_, "holds no file '" + clean_text(name) + "'", "the file is damaged");
  Entry& entry = it->second;
  if (entry.read) return entry.contents;
  const auto packed = packed_bytes(entry, name);
  const std::string place = fmt::format("{}: {}", where_, clean_text(name));
  std::span<const std::byte> contents = packed;
  if (entry.method == kStored) {
    if (entry.packed != entry.unpacked) throw Error(place, "states two sizes", "the file is damaged");
  } else if (entry.method == kDeflated) {
    spend(entry.unpacked, name);
    if (entry.unpacked > UINT32_MAX || entry.packed > UINT32_MAX) throw Error(place, "is larger than 4 GiB");
    entry.unpacked_bytes = inflate_raw(packed, entry.unpacked, place);
    contents = entry.unpacked_bytes;
  } else {
    throw Error(place, fmt::format("is packed by method {}; stored and deflated files are supported", entry.method));
  }
  const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size());
  if (sum != entry.crc) throw Error(place, "has a wrong checksum", "the file is damaged");
  entry.read = true;
  return entry.contents = contents;
}

}  // namespace kinglet::formats
