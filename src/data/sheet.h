// Contact sheets: many small pictures with a strip of words under each, as one picture to look at.
#pragma once

#include <array>
#include <span>
#include <string>

#include "data/image.h"

namespace kinglet::data {

struct SheetItem {
  Image image;
  std::string label;                        ///< ASCII; cut off where the cell ends; '\n' starts a second line
  std::array<uint8_t, 3> ink{32, 32, 32};   ///< of the label, RGB
};

struct SheetStyle {
  int columns = 8;
  int cell = 96;     ///< side of the square a picture is enlarged (by whole numbers, if it fits) or reduced into
  int lines = 2;     ///< of the label
  int gap = 6;
  std::string title; ///< above all; empty for none
};

/// RGB on white. Items fill rows from the left. Throws Error without items or columns.
Image contact_sheet(std::span<const SheetItem> items, const SheetStyle& style = {});

/// Writes `text` into an RGB image from (left, top) on, each dot `scale` pixels wide, cut off at `right`.
void draw_text(Image& image, int left, int top, int right, int scale, const std::string& text, std::array<uint8_t, 3> ink);

}  // namespace kinglet::data
