// A small bitmap font of our own: printable ASCII in 5x7 dots, drawn for labels on picture sheets.
#pragma once

#include <cstdint>

namespace kinglet::data {

inline constexpr int kGlyphWidth = 5, kGlyphHeight = 7;
/// Row `y` (0 the top) of a character, the leftmost dot in bit 4. Anything outside printable ASCII is drawn as '?'.
uint8_t glyph_row(char character, int y);

}  // namespace kinglet::data
