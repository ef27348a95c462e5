#include "data/image.h"

#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

// After <cstdio>: jpeglib.h needs FILE.
#include <jerror.h>
#include <jpeglib.h>

#include "base/error.h"
#include "base/file.h"

namespace kinglet::data {

namespace {

constexpr uint64_t kMaxPixels = uint64_t{1} << 28;

void check_size(uint64_t width, uint64_t height, const std::string& where) {
  if (width == 0 || height == 0) throw Error(where, "is a picture without pixels");
  if (width * height > kMaxPixels) throw Error(where, fmt::format("has {}x{} pixels, more than 2^28", width, height));
}

// ---- JPEG. libjpeg reports through callbacks and leaves through longjmp, so the two functions that it may jump out of
// hold no object with a destructor.

struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg knows only this part
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void jpeg_fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->base.format_message(info, errors->text);
  std::longjmp(errors->back, 1);
}

/// Lost picture data is damage, not a warning: libjpeg would fill the rest with gray.
void jpeg_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC) jpeg_fail(info);
}

class JpegDecoder {
 public:
  JpegDecoder(std::span<const std::byte> bytes, const std::string& where) : where_(where) {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = jpeg_fail;
    errors_.base.emit_message = jpeg_message;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Image decode() {
    if (!read_header()) fail();
    check_size(info_.image_width, info_.image_height, where_);
    const bool color = info_.jpeg_color_space == JCS_YCbCr || info_.jpeg_color_space == JCS_RGB;
    if (!color && info_.jpeg_color_space != JCS_GRAYSCALE) throw Error(where_, "is a CMYK JPEG", "convert it to RGB");
    Image image{static_cast<int>(info_.image_height), static_cast<int>(info_.image_width), color ? 3 : 1, {}};
    image.pixels.resize(static_cast<size_t>(image.height) * image.width * image.channels);
    if (!read_pixels(image.pixels.data(), color ? JCS_RGB : JCS_GRAYSCALE)) fail();
    return image;
  }

 private:
  bool read_header() {
    if (setjmp(errors_.back)) return false;
    jpeg_read_header(&info_, TRUE);
    return true;
  }
  bool read_pixels(uint8_t* pixels, J_COLOR_SPACE space) {
    if (setjmp(errors_.back)) return false;
    info_.out_color_space = space;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = FALSE;
    info_.do_block_smoothing = FALSE;
    jpeg_start_decompress(&info_);
    const size_t row_bytes = static_cast<size_t>(info_.output_width) * static_cast<size_t>(info_.output_components);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + info_.output_scanline * row_bytes;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }
  [[noreturn]] void fail() const { throw Error(where_, std::string("is a damaged JPEG: ") + errors_.text); }

  const std::string& where_;
  jpeg_decompress_struct info_{};
  JpegErrors errors_{};
};

// ---- PNG, with libpng's full interface: the simple one would apply gamma.

struct PngSource {
  std::span<const std::byte> left;
  std::string error;
};

[[noreturn]] void png_fail(png_structp png, png_const_charp text) {
  static_cast<PngSource*>(png_get_error_ptr(png))->error = text;
  png_longjmp(png, 1);
}

void png_ignore(png_structp, png_const_charp) {}

void png_take(png_structp png, png_bytep to, size_t n) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (n > source->left.size()) png_error(png, "the file is cut off");
  std::memcpy(to, source->left.data(), n);
  source->left = source->left.subspan(n);
}

class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> bytes, const std::string& where) : where_(where), source_{bytes, {}} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, png_fail, png_ignore);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw Error(where_, "could not be decoded: out of memory");
    png_set_read_fn(png_, &source_, png_take);
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  Image decode() {
    if (!read_header()) fail();
    check_size(png_get_image_width(png_, info_), png_get_image_height(png_, info_), where_);
    if (!prepare()) fail();
    Image image{static_cast<int>(png_get_image_height(png_, info_)), static_cast<int>(png_get_image_width(png_, info_)),
                png_get_channels(png_, info_), {}};
    const size_t row_bytes = static_cast<size_t>(image.width) * image.channels;
    image.pixels.resize(row_bytes * image.height);
    std::vector<png_bytep> rows(image.height);
    for (int y = 0; y < image.height; ++y) rows[y] = image.pixels.data() + y * row_bytes;
    if (!read_pixels(rows.data())) fail();
    return image;
  }

 private:
  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_user_limits(png_, 1u << 28, 1u << 28);
    png_read_info(png_, info_);
    return true;
  }
  /// Everything to 8-bit gray or RGB.
  bool prepare() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_pixels(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }
  [[noreturn]] void fail() const { throw Error(where_, "is a damaged PNG: " + source_.error); }

  const std::string& where_;
  PngSource source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, const std::string& where) {
  if (starts_with(bytes, "\xFF\xD8\xFF")) return JpegDecoder(bytes, where).decode();
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n")) return PngDecoder(bytes, where).decode();
  throw Error(where, bytes.empty() ? "is empty" : "is neither a JPEG nor a PNG picture", "convert it to one of the two");
}

Image read_image(const std::filesystem::path& path) { return decode_image(read_file(path, uint64_t{1} << 30), path.string()); }

std::vector<std::byte> encode_png(const Image& image) {
  KINGLET_CHECK(image.channels == 1 || image.channels == 3);
  KINGLET_CHECK(image.pixels.size() == static_cast<size_t>(image.height) * image.width * image.channels);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  KINGLET_CHECK(png_image_write_to_memory(&png, nullptr, &size, 0, image.pixels.data(), 0, nullptr), png.message);
  std::vector<std::byte> bytes(size);
  KINGLET_CHECK(png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr), png.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace kinglet::data
