#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "data/gzip.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

uint32_t big_endian(ByteReader& reader) { return __builtin_bswap32(reader.read<uint32_t>()); }

struct IdxFile {
  std::vector<uint32_t> dims;
  std::vector<std::byte> bytes;
  size_t data_at = 0;
};

IdxFile read_idx(const fs::path& path) {
  IdxFile file;
  file.bytes = read_maybe_gzip(path);
  ByteReader reader(file.bytes, path.string());
  const uint32_t magic = big_endian(reader);
  const uint32_t rank = magic & 0xFF;
  if (magic >> 8 != 0x08 || rank < 1 || rank > 4)
    throw Error(path.string(), fmt::format("starts with {:08x} where an IDX file of bytes starts with 0000080", magic) + "1 to 4");
  uint64_t needed = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    file.dims.push_back(big_endian(reader));
    needed = file.dims.back() > (uint64_t{1} << 34) / std::max<uint64_t>(needed, 1) ? uint64_t{1} << 34 : needed * file.dims.back();
  }
  file.data_at = reader.at();
  if (needed != reader.left())
    throw Error(path.string(), fmt::format("holds {} bytes of data where its header announces {}", reader.left(), needed),
                "the file is damaged or cut off");
  return file;
}

/// Height, width and channels; every file of one data set must have the same.
void set_shape(const IdxFile& file, const fs::path& path, RawPictures& pictures) {
  const auto& d = file.dims;
  const bool color = d.size() == 4 && (d[3] == 1 || d[3] == 3);
  if (d.size() != 3 && !color) throw Error(path.string(), "is an IDX file without pictures (n x h x w or n x h x w x 3 was expected)");
  const int h = static_cast<int>(d[1]), w = static_cast<int>(d[2]), c = color ? static_cast<int>(d[3]) : 1;
  if (h < 1 || w < 1 || h > 65535 || w > 65535) throw Error(path.string(), fmt::format("has pictures of {}x{} pixels", h, w));
  if (!pictures.labels.empty() && (h != pictures.height || w != pictures.width || c != pictures.channels))
    throw Error(path.string(), fmt::format("has pictures of {}x{}x{} where the file before has {}x{}x{}", h, w, c, pictures.height,
                                           pictures.width, pictures.channels));
  pictures.height = h;
  pictures.width = w;
  pictures.channels = c;
}

void append_big_endian(ByteWriter& writer, uint32_t value) { writer.write(__builtin_bswap32(value)); }

}  // namespace

void append_idx(const fs::path& images_path, const fs::path& labels_path, RawPictures& pictures) {
  const auto images = read_idx(images_path);
  const auto labels = read_idx(labels_path);
  set_shape(images, images_path, pictures);
  if (labels.dims.size() != 1) throw Error(labels_path.string(), "is not an IDX file of labels (one dimension was expected)");
  if (labels.dims[0] != images.dims[0])
    throw Error(labels_path.string(), fmt::format("has {} labels for the {} pictures of {}", labels.dims[0], images.dims[0], images_path.string()));
  pictures.parts.emplace_back(images_path.filename().string(), pictures.labels.size());
  const auto* label = reinterpret_cast<const uint8_t*>(labels.bytes.data() + labels.data_at);
  pictures.labels.insert(pictures.labels.end(), label, label + labels.dims[0]);
  const auto* pixel = reinterpret_cast<const uint8_t*>(images.bytes.data());
  pictures.pixels.insert(pictures.pixels.end(), pixel + images.data_at, pixel + images.bytes.size());
}

void write_idx(const fs::path& images, const fs::path& labels, const RawPictures& pictures) {
  KINGLET_CHECK(pictures.channels == 1);
  const auto count = static_cast<uint32_t>(pictures.labels.size());
  ByteWriter writer;
  append_big_endian(writer, 0x803);
  for (uint32_t dim : {count, static_cast<uint32_t>(pictures.height), static_cast<uint32_t>(pictures.width)}) append_big_endian(writer, dim);
  writer.append(std::as_bytes(std::span(pictures.pixels)));
  write_file(images, std::span<const std::byte>(writer.bytes()));
  ByteWriter label_writer;
  append_big_endian(label_writer, 0x801);
  append_big_endian(label_writer, count);
  for (int label : pictures.labels) label_writer.write(static_cast<uint8_t>(label));
  write_file(labels, std::span<const std::byte>(label_writer.bytes()));
}

fs::path idx_labels_of(const fs::path& images) {
  std::string name = images.filename().string();
  const std::string from = "images-idx", to = "labels-idx1";
  const size_t at = name.find(from);
  if (at == std::string::npos)
    throw Error(images.string(), "is an IDX file whose labels file cannot be guessed", "name the pair like MNIST: x-images-idx3-ubyte, x-labels-idx1-ubyte");
  name.replace(at, from.size() + 1, to);
  std::string other = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz";
  for (const auto& candidate : {name, other})
    if (fs::is_regular_file(images.parent_path() / candidate)) return images.parent_path() / candidate;
  throw Error(images.string(), "has no labels file beside it (" + name + ")");
}

}  // namespace kinglet::data
