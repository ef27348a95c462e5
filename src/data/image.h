// One decoded picture: interleaved 8-bit pixels, rows from the top, no padding between rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace kinglet::data {

struct Image {
  int height = 0, width = 0, channels = 0;  ///< channels 1 (gray) or 3 (RGB)
  std::vector<uint8_t> pixels;              ///< HWC
};

/// JPEG (integer DCT, plain upsampling) or PNG by content, not by name; alpha is dropped, palettes and 16 bit converted.
/// Throws Error naming `where` for other kinds, damage, or more than 2^28 pixels.
Image decode_image(std::span<const std::byte> bytes, const std::string& where);
Image read_image(const std::filesystem::path& path);
std::vector<std::byte> encode_png(const Image& image);

}  // namespace kinglet::data
