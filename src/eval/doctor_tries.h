// The list of usual mistakes: what else a contract could have been.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/image.h"
#include "graph/input_spec.h"

namespace kinglet::eval {

/// What the pictures at hand allow to be tried.
struct PictureFacts {
  bool resampled = false;      ///< some have another size than the input
  bool shape_differs = false;  ///< some have another aspect ratio
  bool colored = false;
  bool rgb565 = false;  ///< every pixel of all of them is one that 16-bit RGB565 can hold
};

struct Alternative {
  std::string factor, change, flag;
  std::function<data::Image(const data::Image&)> mend;  ///< for faults of the pictures; empty otherwise
};

/// All that differ from `spec`, most likely first.
std::vector<Alternative> alternatives(const graph::InputSpec& spec, const PictureFacts& facts);

/// Is every pixel what RGB565 expands to?
bool fits_rgb565(const data::Image& image);
/// The picture as it was before somebody read its 16-bit pixels with the two bytes swapped.
data::Image swap_rgb565_bytes(const data::Image& image);

}  // namespace kinglet::eval
