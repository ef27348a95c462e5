#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace {
constexpr size_t kPlane = 32 * 32, kRecord = 1 + 3 * kPlane;

void append_record(const uint8_t* record, RawPictures& pictures) {
  pictures.labels.push_back(record[0]);
  const uint8_t* red = record + 1;
  const size_t at = pictures.pixels.size();
  pictures.pixels.resize(at + 3 * kPlane);
  uint8_t* out = pictures.pixels.data() + at;
  for (size_t i = 0; i < kPlane; ++i, out += 3) {
    out[0] = red[i];
    out[1] = red[kPlane + i];
    out[2] = red[2 * kPlane + i];
  }
}
}  // namespace

void append_cifar10(const std::filesystem::path& path, RawPictures& pictures) {
  const auto bytes = read_file(path);
  if (bytes.empty() || bytes.size() % kRecord != 0)
    throw Error(path.string(), fmt::format("has {} bytes, which is not a number of CIFAR-10 records of {} bytes", bytes.size(), kRecord),
                "the file is damaged or cut off");
  pictures.height = pictures.width = 32;
  pictures.channels = 3;
  pictures.parts.emplace_back(path.filename().string(), pictures.labels.size());
  const size_t count = bytes.size() / kRecord;
  pictures.pixels.reserve(pictures.pixels.size() + count * 3 * kPlane);
  for (size_t i = 0; i < count; ++i) append_record(reinterpret_cast<const uint8_t*>(bytes.data()) + i * kRecord, pictures);
}

}  // namespace kinglet::data
