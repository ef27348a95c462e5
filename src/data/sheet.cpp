#include "data/sheet.h"

#include <algorithm>

#include "base/error.h"
#include "data/font.h"
#include "kernels/preprocess/preprocess.h"

namespace kinglet::data {

namespace {

constexpr int kLineHeight = kGlyphHeight + 3;

Image blank(int height, int width) { return {height, width, 3, std::vector<uint8_t>(static_cast<size_t>(height) * width * 3, 255)}; }

void put(Image& sheet, int y, int x, std::array<uint8_t, 3> color) {
  if (y < 0 || x < 0 || y >= sheet.height || x >= sheet.width) return;
  std::copy(color.begin(), color.end(), sheet.pixels.begin() + (static_cast<ptrdiff_t>(y) * sheet.width + x) * 3);
}

/// Scaled to fit a square: whole-number enlargement keeps pixels sharp, reduction is filtered.
Image fitted(const Image& image, int side) {
  const int longest = std::max(image.height, image.width), factor = side / longest;
  kinglet_stage1 s{};
  s.height = std::max(1, factor > 0 ? image.height * factor : image.height * side / longest);
  s.width = std::max(1, factor > 0 ? image.width * factor : image.width * side / longest);
  s.filter = factor > 0 ? KINGLET_FILTER_NEAREST : KINGLET_FILTER_BILINEAR;
  s.antialias = 1;
  s.crop_q16 = 1 << 16;
  const auto format = image.channels == 1 ? KINGLET_PIXELS_GRAY8 : KINGLET_PIXELS_RGB888;
  const kinglet_picture picture{image.pixels.data(), image.height, image.width, image.width * image.channels, static_cast<uint8_t>(format), nullptr, nullptr};
  const kinglet_region region{0, 0, image.height, image.width, 0};
  if (const char* fault = kinglet_preprocess_check(&s, &picture, &region)) throw Error("picture sheet", fault);
  std::vector<int32_t> scratch(kinglet_preprocess_scratch_bytes(&s, &region) / 4);
  Image out = blank(s.height, s.width);
  kinglet_preprocess(&s, &picture, &region, scratch.data(), out.pixels.data());
  return out;
}

void paste(Image& sheet, const Image& image, int top, int left) {
  for (int y = 0; y < image.height; ++y) {
    const auto from = image.pixels.begin() + static_cast<ptrdiff_t>(y) * image.width * 3;
    std::copy(from, from + image.width * 3, sheet.pixels.begin() + (static_cast<ptrdiff_t>(top + y) * sheet.width + left) * 3);
  }
}

void draw_item(Image& sheet, const SheetItem& item, int top, int left, const SheetStyle& style) {
  const auto picture = fitted(item.image, style.cell);
  paste(sheet, picture, top + (style.cell - picture.height) / 2, left + (style.cell - picture.width) / 2);
  std::string rest = item.label;
  for (int line = 0; line < style.lines && !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    draw_text(sheet, left, top + style.cell + 2 + line * kLineHeight, left + style.cell, 1, rest.substr(0, end), item.ink);
    rest.erase(0, std::min(end + 1, rest.size()));
  }
}

}  // namespace

void draw_text(Image& image, int left, int top, int right, int scale, const std::string& text, std::array<uint8_t, 3> ink) {
  for (char character : text) {
    if (left + kGlyphWidth * scale > right) return;
    for (int y = 0; y < kGlyphHeight * scale; ++y)
      for (int x = 0; x < kGlyphWidth * scale; ++x)
        if (glyph_row(character, y / scale) >> (kGlyphWidth - 1 - x / scale) & 1) put(image, top + y, left + x, ink);
    left += (kGlyphWidth + 1) * scale;
  }
}

Image contact_sheet(std::span<const SheetItem> items, const SheetStyle& style) {
  if (items.empty() || style.columns < 1 || style.cell < 1) throw Error("picture sheet", "needs pictures, columns and a cell size");
  const int count = static_cast<int>(items.size()), columns = std::min(style.columns, count), rows = (count + columns - 1) / columns;
  const int head = style.title.empty() ? style.gap : 2 * kLineHeight + 2 * style.gap;
  const int step_x = style.cell + style.gap, step_y = style.cell + 2 + style.lines * kLineHeight + style.gap;
  Image sheet = blank(head + rows * step_y, style.gap + columns * step_x);
  draw_text(sheet, style.gap, style.gap, sheet.width, 2, style.title, {0, 0, 0});
  for (int i = 0; i < count; ++i) draw_item(sheet, items[i], head + i / columns * step_y, style.gap + i % columns * step_x, style);
  return sheet;
}

}  // namespace kinglet::data
