#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/random.h"
#include "data/manifest.h"
#include "data/source.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMaxValidation = 5000;

// ---- The validation tenth

uint64_t hash_of(const std::string& id) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (unsigned char c : id) hash = (hash ^ c) * 0x100000001B3u;
  return RandomStream(0, 0, hash, Purpose::split).bits();
}

/// Indices of the tenth with the smallest hashes of their ids, and of the rest, both rising.
std::pair<std::vector<int64_t>, std::vector<int64_t>> chosen_tenth(const Dataset& all) {
  std::vector<std::pair<uint64_t, int64_t>> order;
  for (int64_t i = 0; i < all.size(); ++i) order.emplace_back(hash_of(all.id(i)), i);
  std::sort(order.begin(), order.end());
  const int64_t count = std::min(kMaxValidation, (all.size() + 9) / 10);
  std::vector<int64_t> chosen, rest;
  for (int64_t i = 0; i < all.size(); ++i) (i < count ? chosen : rest).push_back(order[i].second);
  std::sort(chosen.begin(), chosen.end());
  std::sort(rest.begin(), rest.end());
  return {chosen, rest};
}

TrainingData divide(const DatasetPtr& all) {
  auto [chosen, rest] = chosen_tenth(*all);
  return {subset(all, std::move(rest), "train"), subset(all, std::move(chosen), "val")};
}

DatasetPtr whole_training(const Source& source) {
  if (source.has("val")) return concatenate(source.load("train"), source.load("val"), "train+val");
  auto all = source.load("train");
  std::vector<int64_t> indices(static_cast<size_t>(all->size()));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int64_t>(i);
  return subset(all, std::move(indices), "train+val");
}

DatasetPtr open_split(const Source& source, std::string split) {
  if (auto other = source.split_names.find(split); other != source.split_names.end()) split = other->second;
  const bool trainable = source.has("train");
  if (trainable && split == "train+val") return whole_training(source);
  if (trainable && !source.has("val") && split == "train") return divide(source.load("train")).train;
  if (trainable && !source.has("val") && split == "val") return divide(source.load("train")).val;
  if (source.has(split)) return source.load(split);
  std::vector<std::string> known;
  for (const auto& [name, load] : source.splits) known.push_back(name);
  if (trainable && !source.has("val")) known.push_back("val");
  if (trainable) known.push_back("train+val");
  throw Error(source.name, "has no split '" + split + "'", fmt::format("it has {}", fmt::join(known, ", ")), ErrorKind::usage);
}

struct Parsed {
  Source source;
  std::string split;  ///< empty: not given
};

Source source_of(const std::string& text) {
  if (has_manifest(text)) return manifest_source(text);
  if (fs::is_directory(text)) return tree_source(text);
  if (fs::is_regular_file(text)) return file_source(text);
  if (text.find('/') == std::string::npos) return manifest_source(text);  // says which names are known
  throw Error(text, "was not found", "a data set is a name (see 'kinglet data list') or a path");
}

Parsed parse(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || fs::exists(text)) return {source_of(text), ""};
  return {source_of(text.substr(0, colon)), text.substr(colon + 1)};
}

}  // namespace

DatasetPtr open_dataset(const std::string& text, const std::string& default_split) {
  const auto parsed = parse(text);
  if (!parsed.split.empty()) return open_split(parsed.source, parsed.split);
  const bool whole = !parsed.source.whole.empty() && default_split == "test";
  return open_split(parsed.source, whole ? parsed.source.whole : default_split);
}

TrainingData open_training_data(const std::string& text, bool use_val) {
  const auto parsed = parse(text);
  if (!parsed.split.empty()) throw Error(text, "names a split where a whole data set is trained on", "leave out ':" + parsed.split + "'", ErrorKind::usage);
  if (!parsed.source.has("train")) throw Error(text, "has no split 'train'", "", ErrorKind::usage);
  if (!use_val) return {whole_training(parsed.source), nullptr};
  if (parsed.source.has("val")) return {parsed.source.load("train"), parsed.source.load("val")};
  return divide(parsed.source.load("train"));
}

}  // namespace kinglet::data
