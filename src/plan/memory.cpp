#include "plan/memory.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace kinglet::plan {

namespace {

using Order = std::vector<size_t>;

int64_t rounded(int64_t bytes, int64_t alignment) { return (bytes + alignment - 1) / alignment * alignment; }

bool together(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

/// Bytes alive in each step.
std::vector<int64_t> load(const std::vector<Buffer>& buffers, int64_t alignment) {
  int steps = 0;
  for (const auto& b : buffers) steps = std::max(steps, b.last + 1);
  std::vector<int64_t> delta(static_cast<size_t>(steps) + 1);
  for (const auto& b : buffers) {
    delta[static_cast<size_t>(b.first)] += rounded(b.bytes, alignment);
    delta[static_cast<size_t>(b.last) + 1] -= rounded(b.bytes, alignment);
  }
  std::partial_sum(delta.begin(), delta.end(), delta.begin());
  delta.pop_back();
  return delta;
}

Order sorted_by(const std::vector<Buffer>& buffers, const std::function<double(const Buffer&)>& key) {
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(buffers[a]) > key(buffers[b]); });
  return order;
}

/// Buffers of the fullest step first, largest first within a step.
Order by_fullest_step(const std::vector<Buffer>& buffers, const std::vector<int64_t>& loads) {
  std::vector<size_t> steps(loads.size());
  std::iota(steps.begin(), steps.end(), size_t{0});
  std::stable_sort(steps.begin(), steps.end(), [&](size_t a, size_t b) { return loads[a] > loads[b]; });
  std::vector<size_t> rank(loads.size());
  for (size_t i = 0; i < steps.size(); ++i) rank[steps[i]] = i;
  std::vector<double> best(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    const auto begin = rank.begin() + buffers[i].first, end = rank.begin() + buffers[i].last + 1;
    best[i] = static_cast<double>(*std::min_element(begin, end));
  }
  Order order = sorted_by(buffers, [](const Buffer& b) { return static_cast<double>(b.bytes); });
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return best[a] < best[b]; });
  return order;
}

/// Buffers of the fullest step first, then those that live ever farther from it, largest first.
Order outward_from_fullest_step(const std::vector<Buffer>& buffers, const std::vector<int64_t>& loads) {
  const auto fullest = static_cast<int>(std::max_element(loads.begin(), loads.end()) - loads.begin());
  const auto distance = [&](size_t i) { return std::max({buffers[i].first - fullest, fullest - buffers[i].last, 0}); };
  Order order = sorted_by(buffers, [](const Buffer& b) { return static_cast<double>(b.bytes); });
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return distance(a) < distance(b); });
  return order;
}

/// Lowest offset at which `buffer` fits between the placed buffers it lives with; `placed` is sorted by offset.
int64_t lowest_gap(const std::vector<Buffer>& buffers, const Order& placed, const Buffer& buffer, int64_t alignment) {
  int64_t end = 0;
  for (size_t other : placed) {
    const Buffer& o = buffers[other];
    if (!together(o, buffer)) continue;
    if (o.offset >= end + rounded(buffer.bytes, alignment)) break;
    end = std::max(end, o.offset + rounded(o.bytes, alignment));
  }
  return end;
}

int64_t place_in_order(std::vector<Buffer>& buffers, const Order& order, int64_t alignment) {
  Order placed;
  int64_t arena = 0;
  for (size_t i : order) {
    buffers[i].offset = lowest_gap(buffers, placed, buffers[i], alignment);
    arena = std::max(arena, buffers[i].offset + rounded(buffers[i].bytes, alignment));
    const auto at = std::upper_bound(placed.begin(), placed.end(), i, [&](size_t a, size_t b) { return buffers[a].offset < buffers[b].offset; });
    placed.insert(at, i);
  }
  return arena;
}

}  // namespace

Placement place_buffers(std::vector<Buffer>& buffers, int64_t alignment) {
  if (buffers.empty()) return {};
  const auto loads = load(buffers, alignment);
  const Order orders[] = {
      sorted_by(buffers, [](const Buffer& b) { return static_cast<double>(b.bytes); }),
      sorted_by(buffers, [](const Buffer& b) { return static_cast<double>(b.bytes) * (b.last - b.first + 1); }),
      by_fullest_step(buffers, loads),
      outward_from_fullest_step(buffers, loads),
  };
  Placement best{std::numeric_limits<int64_t>::max(), *std::max_element(loads.begin(), loads.end())};
  std::vector<Buffer> chosen;
  for (const Order& order : orders) {
    std::vector<Buffer> attempt = buffers;
    const int64_t arena = place_in_order(attempt, order, alignment);
    if (arena >= best.arena_bytes) continue;
    best.arena_bytes = arena;
    chosen = std::move(attempt);
  }
  buffers = std::move(chosen);
  return best;
}

}  // namespace kinglet::plan
