// Leaks between splits: pictures that are the same to the byte, found by a hash of their pixels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"

namespace kinglet::data {

struct LeakReport {
  int64_t first_n = 0, second_n = 0;
  int64_t first_repeats = 0;      ///< pictures of `first` that an earlier one of it equals
  int64_t second_repeats = 0;
  int64_t shared = 0;             ///< pictures of `second` that are also in `first`
  int64_t shared_other_label = 0; ///< ... none of whose twins there has the same label
  struct Pair {
    std::string first, second;    ///< ids
  };
  std::vector<Pair> examples;     ///< the first few shared ones
};

/// Decodes every picture of both once (n x time of one picture; about 100 bytes a picture).
LeakReport find_leaks(const Dataset& first, const Dataset& second, int max_examples = 10, const ProgressCallback& progress = {});

}  // namespace kinglet::data
