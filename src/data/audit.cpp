#include "data/audit.h"

#include <algorithm>
#include <unordered_map>

#include "base/sha256.h"

namespace kinglet::data {

namespace {

std::string pixel_hash(const Image& image) {
  return std::to_string(image.height) + "x" + std::to_string(image.width) + ":" + sha256(std::as_bytes(std::span(image.pixels)));
}

using Places = std::unordered_map<std::string, std::vector<int64_t>>;

Places index(const Dataset& dataset, const std::string& stage, const ProgressCallback& progress) {
  Places places;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    places[pixel_hash(dataset.image(i))].push_back(i);
    if (progress && (i + 1) % 1000 == 0) progress({stage, i + 1, dataset.size(), "pictures"});
  }
  return places;
}

}  // namespace

LeakReport find_leaks(const Dataset& first, const Dataset& second, int max_examples, const ProgressCallback& progress) {
  const auto in_first = index(first, "hash " + first.info().split, progress), in_second = index(second, "hash " + second.info().split, progress);
  LeakReport report;
  report.first_n = first.size();
  report.second_n = second.size();
  report.first_repeats = first.size() - static_cast<int64_t>(in_first.size());
  report.second_repeats = second.size() - static_cast<int64_t>(in_second.size());
  std::vector<std::pair<int64_t, int64_t>> shared;  // index in second, first twin
  for (const auto& [hash, places] : in_second) {
    const auto twins = in_first.find(hash);
    if (twins == in_first.end()) continue;
    for (int64_t place : places) {
      shared.emplace_back(place, twins->second.front());
      report.shared_other_label += std::none_of(twins->second.begin(), twins->second.end(), [&](int64_t twin) { return first.label(twin) == second.label(place); });
    }
  }
  std::sort(shared.begin(), shared.end());
  report.shared = static_cast<int64_t>(shared.size());
  for (const auto& [place, twin] : shared)
    if (static_cast<int>(report.examples.size()) < max_examples) report.examples.push_back({first.id(twin), second.id(place)});
  return report;
}

}  // namespace kinglet::data
