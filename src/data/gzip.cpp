#include "data/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace kinglet::data {

namespace {
struct Inflater {
  z_stream stream{};
  Inflater() { KINGLET_CHECK(inflateInit2(&stream, 15 + 16) == Z_OK); }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};
}  // namespace

bool is_gzip(std::span<const std::byte> bytes) { return bytes.size() >= 2 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B}; }

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, const std::string& where, size_t limit_bytes) {
  Inflater inflater;
  z_stream& z = inflater.stream;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  std::vector<std::byte> out(std::min(limit_bytes, bytes.size() * 5 + 1024));
  size_t done = 0;
  while (true) {
    z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    z.avail_out = static_cast<uInt>(out.size() - done);
    const int status = inflate(&z, Z_NO_FLUSH);
    done = out.size() - z.avail_out;
    if (status == Z_STREAM_END && z.avail_in == 0) break;
    if (status == Z_STREAM_END) {  // gzip files may hold several members, one after another
      if (inflateReset(&z) != Z_OK) throw Error(where, "is a damaged gzip file");
    } else if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_in == 0 && z.avail_out > 0)) {
      if (z.avail_out > 0) throw Error(where, "ends in the middle of its compressed data", "the file is damaged or cut off");
    } else if (status != Z_OK) {
      throw Error(where, fmt::format("is a damaged gzip file: {}", z.msg ? z.msg : "unknown fault"));
    }
    if (z.avail_out > 0) continue;
    if (out.size() >= limit_bytes) throw Error(where, fmt::format("unpacks to more than {} bytes", limit_bytes));
    out.resize(std::min(limit_bytes, out.size() * 2));
  }
  out.resize(done);
  return out;
}

std::vector<std::byte> read_maybe_gzip(const std::filesystem::path& path) {
  auto bytes = read_file(path);
  return is_gzip(bytes) ? gunzip(bytes, path.string()) : bytes;
}

}  // namespace kinglet::data
