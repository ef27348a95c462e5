// Offsets in the arena for buffers with lifetimes. Finding the best placement is NP-hard (dynamic storage allocation);
// greedy placement in a few orders, keeping the best, comes within a few percent on networks.
#pragma once

#include <cstdint>
#include <vector>

namespace kinglet::plan {

/// Alive from step `first` to step `last`, both included.
struct Buffer {
  int64_t bytes = 0;
  int first = 0, last = 0;
  int64_t offset = 0;  ///< set by place_buffers
};

struct Placement {
  int64_t arena_bytes = 0;
  int64_t lower_bound_bytes = 0;  ///< largest sum of bytes (rounded up to the alignment) alive in one step
};

/// Gives every buffer an offset that is a multiple of `alignment`, no two that are alive together overlapping. Each
/// buffer goes to the lowest gap that holds it, in three orders: by size, by size x lifetime, and fullest step first
/// (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference"). Quadratic in the buffers.
Placement place_buffers(std::vector<Buffer>& buffers, int64_t alignment);

}  // namespace kinglet::plan
