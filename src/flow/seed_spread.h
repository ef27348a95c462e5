// How much of a figure is the luck of its seed: the same recipe trained with other seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kinglet::flow {

/// One training's figure on the test split.
struct SeedFigure {
  uint64_t seed = 0;
  std::string precision;  ///< "float32", "int8"
  double top1_percent = 0;
  int64_t n = 0;
};

/// A sentence a precision that was measured with two seeds or more, in order of first appearance: seeds, mean, sample standard
/// deviation, lowest and highest. Throws a usage Error when a seed stands twice in one precision.
std::vector<std::string> spread_sentences(const std::vector<SeedFigure>& figures);

}  // namespace kinglet::flow
