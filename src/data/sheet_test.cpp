#include "data/sheet.h"

#include <gtest/gtest.h>

#include "data/font.h"
#include "data/test_files.h"

namespace kinglet::data {
namespace {

std::array<uint8_t, 3> pixel(const Image& image, int y, int x) {
  const auto* at = image.pixels.data() + (static_cast<size_t>(y) * image.width + x) * 3;
  return {at[0], at[1], at[2]};
}

TEST(Sheet, PlacesPicturesAndLabels) {
  std::vector<SheetItem> items(3, {Image{1, 1, 3, {10, 20, 30}}, "I", {200, 0, 0}});
  SheetStyle style;
  style.columns = 2;
  style.cell = 20;
  style.lines = 1;
  const auto sheet = contact_sheet(items, style);
  EXPECT_EQ(sheet.width, 6 + 2 * 26);
  EXPECT_EQ(sheet.height, 6 + 2 * (20 + 2 + 10 + 6));
  EXPECT_EQ(pixel(sheet, 6, 6), (std::array<uint8_t, 3>{10, 20, 30}));
  EXPECT_EQ(pixel(sheet, 25, 25), (std::array<uint8_t, 3>{10, 20, 30}));
  EXPECT_EQ(pixel(sheet, 26, 25), (std::array<uint8_t, 3>{255, 255, 255}));
  EXPECT_EQ(pixel(sheet, 28, 8), (std::array<uint8_t, 3>{200, 0, 0})) << "the top of the I";
  EXPECT_EQ(pixel(sheet, 44, 32), (std::array<uint8_t, 3>{255, 255, 255})) << "no fourth picture";
  EXPECT_EQ(decode_image(encode_png(sheet), "sheet").pixels, sheet.pixels);
}

TEST(Sheet, LargePicturesGrayPicturesAndLongLabelsFit) {
  std::vector<SheetItem> items{{Image{300, 100, 1, std::vector<uint8_t>(30000, 7)}, std::string(500, 'W'), {}}, {Image{3, 900, 3, std::vector<uint8_t>(8100, 9)}, "\n\n\x80", {}}};
  SheetStyle style;
  style.title = std::string(300, 'x');
  EXPECT_NO_THROW(contact_sheet(items, style));
  EXPECT_ERROR(contact_sheet({}, style), "picture sheet");
}

TEST(Font, EveryPrintableCharacterHasItsOwnShape) {
  std::vector<std::string> shapes;
  for (char c = ' '; c <= '~'; ++c) {
    std::string shape;
    for (int y = 0; y < kGlyphHeight; ++y) shape += static_cast<char>(glyph_row(c, y));
    for (const auto& other : shapes) EXPECT_NE(shape, other) << c;
    shapes.push_back(shape);
  }
  EXPECT_EQ(glyph_row('T', 0), 0b11111);
  EXPECT_EQ(glyph_row('T', 6), 0b00100);
  EXPECT_EQ(glyph_row('\xE4', 3), glyph_row('?', 3));
}

}  // namespace
}  // namespace kinglet::data
