#include "data/image.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "data/image_fixtures.h"
#include "data/test_files.h"

namespace kinglet::data {
namespace {

std::string pixel_sum(const Image& image) { return sha256(std::as_bytes(std::span(image.pixels))); }
using Bytes = std::vector<uint8_t>;

// The sums are those of `djpeg -dct int -nosmooth -pnm` (libjpeg-turbo 2.1.5).
TEST(Image, JpegColorIsDecodedWithIntegerDctAndPlainUpsampling) {
  const auto image = decode_image(from_hex(kJpeg420), "t.jpg");
  EXPECT_EQ(image.height, 16);
  EXPECT_EQ(image.width, 24);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(pixel_sum(image), "50154976ec83efe509e6e027feac6b7923870aaf8e95af64c7e93b79a10b5031");
}

TEST(Image, JpegGrayKeepsOneChannel) {
  const auto image = decode_image(from_hex(kJpegGray), "g.jpg");
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(pixel_sum(image), "21ac69a33c21840ea75c41b5d4f0032b7f0d108d0ec9bd02f5e23d9accd03b2c");
}

TEST(Image, PngKindsBecomeGrayOrRgb) {
  EXPECT_EQ(decode_image(from_hex(kPngPalette), "p").pixels, (Bytes{10, 20, 30, 40, 50, 60, 70, 80, 90, 40, 50, 60}));
  EXPECT_EQ(decode_image(from_hex(kPngRgba), "a").pixels, (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode_image(from_hex(kPngGray16), "g").pixels, (Bytes{0, 1, 128, 255}));
  EXPECT_EQ(decode_image(from_hex(kPngOneBit), "b").pixels, (Bytes{0, 255, 255, 0}));
}

TEST(Image, PngInterlacedAndWithoutGammaCorrection) {
  const auto image = decode_image(from_hex(kPngInterlaced), "i");
  ASSERT_EQ(image.pixels.size(), 25u);
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 5; ++x) EXPECT_EQ(image.pixels[y * 5 + x], y * 10 + x);
}

TEST(Image, PngRoundTrip) {
  for (int channels : {1, 3}) {
    Image image{7, 5, channels, {}};
    for (int i = 0; i < 35 * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 37));
    const auto back = decode_image(encode_png(image), "x");
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.height, 7);
    EXPECT_EQ(back.pixels, image.pixels);
  }
}

TEST(Image, DamageIsAnErrorThatNamesTheFile) {
  EXPECT_ERROR(decode_image({}, "a.jpg"), "a.jpg", "is empty");
  EXPECT_ERROR(decode_image(to_bytes("GIF89a..."), "a.gif"), "a.gif", "neither a JPEG nor a PNG");
  EXPECT_ERROR(decode_image(from_hex(kJpegCmyk), "c.jpg"), "c.jpg", "CMYK");
  EXPECT_ERROR(decode_image(from_hex(kPngHuge), "h.png"), "h.png", "2^28");
  EXPECT_ERROR(read_image("/nowhere/x.png"), "/nowhere/x.png", "cannot be opened");
}

TEST(Image, EveryTruncationIsAnErrorOrTheWholePicture) {
  for (const char* hex : {kJpeg420, kJpegGray, kPngPalette, kPngInterlaced, kPngGray16}) {
    const auto bytes = from_hex(hex);
    const auto whole = decode_image(bytes, "x").pixels;
    int errors = 0;
    for (size_t n = 0; n < bytes.size(); ++n) {
      try {
        EXPECT_EQ(decode_image(std::span(bytes).first(n), "x").pixels, whole) << n;
      } catch (const Error&) {
        ++errors;
      }
    }
    EXPECT_GT(errors, static_cast<int>(bytes.size()) - 20);  // only end markers may be missing
  }
}

TEST(Image, FlippedBytesNeverCrash) {
  for (const char* hex : {kJpeg420, kJpegGray, kPngPalette, kPngInterlaced}) {
    const auto bytes = from_hex(hex);
    for (size_t at = 0; at < bytes.size(); ++at)
      for (int bit : {0, 3, 7}) {
        auto broken = bytes;
        broken[at] ^= static_cast<std::byte>(1 << bit);
        try {
          const auto image = decode_image(broken, "x");
          EXPECT_EQ(image.pixels.size(), static_cast<size_t>(image.height) * image.width * image.channels);
        } catch (const Error&) {
        }
      }
  }
}

}  // namespace
}  // namespace kinglet::data
