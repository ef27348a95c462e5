#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "data/manifest.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMaxValidation = 5000;

/// A data set whose splits can be loaded one by one.
struct Source {
  std::string name;
  std::map<std::string, std::function<DatasetPtr()>> splits;
  std::map<std::string, std::string> split_names;
  std::string whole;  ///< the split that a tree without train and test folders has; a default "test" means it

  bool has(const std::string& split) const { return splits.contains(split); }
  DatasetPtr load(const std::string& split) const { return splits.at(split)(); }
};

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

// ---- Sources by manifest

DatasetInfo info_of(const Manifest& m, const std::string& split) {
  DatasetInfo info;
  info.name = m.name;
  info.split = split;
  info.classes = m.classes;
  info.licence = m.licence;
  info.citation = m.citation;
  info.url = m.url;
  info.notes = m.notes;
  return info;
}

RawPictures load_raw(const Manifest& m, const Json& split, const std::vector<fs::path>& files, const std::string& where) {
  if (m.reader == "drawn_digits") return draw_digits(json_at<int64_t>(split, "count", where), json_at<uint64_t>(split, "seed", where));
  RawPictures pictures;
  if (m.reader == "cifar10") {
    for (const auto& file : files) append_cifar10(file, pictures);
  } else if (files.size() == 2) {
    append_idx(files[0], files[1], pictures);
  } else {
    append_fer2013_csv(files[0], json_at<std::string>(split, "usage", where), pictures);
  }
  return pictures;
}

DatasetPtr load_manifest_split(const Manifest& m, const std::string& split);

/// One set after another; the notes say how many pictures each gave and repeat the sets' own weaknesses.
DatasetPtr load_union(const Manifest& m, const std::string& split) {
  std::vector<DatasetPtr> parts;
  std::vector<std::string> counts, notes;
  for (const auto& part : parts_of_union(m, split)) {
    parts.push_back(load_manifest_split(part, split));
    counts.push_back(fmt::format("{} of {}", parts.back()->size(), part.name));
    for (const auto& note : part.notes) notes.push_back(part.name + ": " + note);
  }
  auto info = info_of(m, split);
  info.notes.insert(info.notes.begin(), fmt::format("Pictures in {}: {}.", split, fmt::join(counts, ", ")));
  info.notes.insert(info.notes.end(), notes.begin(), notes.end());
  return unite(std::move(parts), info);
}

DatasetPtr load_manifest_split(const Manifest& m, const std::string& split) {
  const auto folder = where_found(m, split);
  if (!folder) fail_not_found(m, split);
  if (m.reader == "union") return load_union(m, split);
  const std::string where = "datasets/" + m.name + ".json: split " + split;
  const Json& json = m.splits.at(split);
  const auto info = info_of(m, split);
  if (m.reader == "image_folder")
    return make_dataset(read_image_folder(*folder, json_at<std::string>(json, "folder", where), m.classes), info);
  const auto files = complete_files(m, split, *folder);
  if (m.reader == "file_list")
    return make_dataset(read_file_list(files[0], {json_at<std::string>(json, "path", where), json_at<std::string>(json, "label", where)}), info);
  return make_dataset(load_raw(m, json, files, where), info);
}

Source manifest_source(const std::string& name) {
  auto manifest = std::make_shared<const Manifest>(load_manifest(name));
  Source source{name, {}, manifest->split_names, {}};
  for (const auto& [split, json] : manifest->splits)
    source.splits[split] = [manifest, split = split] { return load_manifest_split(*manifest, split); };
  return source;
}

// ---- Sources by path

std::vector<std::string> class_names(const fs::path& path, int count) {
  if (fs::is_regular_file(path.parent_path() / "labels.txt")) return read_labels(path.parent_path() / "labels.txt");
  std::vector<std::string> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

DatasetPtr raw_from_path(RawPictures pictures, const fs::path& path, std::vector<std::string> classes, const std::string& split) {
  DatasetInfo info;
  info.name = path.string();
  info.split = split;
  if (classes.empty()) classes = class_names(path, pictures.labels.empty() ? 1 : 1 + *std::max_element(pictures.labels.begin(), pictures.labels.end()));
  info.classes = std::move(classes);
  return make_dataset(std::move(pictures), info);
}

Source whole_source(const fs::path& path, std::function<DatasetPtr()> load) {
  return {path.string(), {{"all", load}, {"train", load}}, {}, "all"};
}

Source tree_source(const fs::path& root) {
  std::vector<std::string> parts;
  for (const char* part : {"train", "val", "test"})
    if (fs::is_directory(root / part)) parts.emplace_back(part);
  const bool divided = !parts.empty();
  if (!divided) parts = {""};
  auto load = [root, parts](const std::string& part, const std::string& split) {
    DatasetInfo info;
    info.name = root.string();
    info.split = split;
    if (part.empty()) info.notes = {"The tree has no train and test folders: 'all' is every picture, also those that training took from it."};
    bool sorted = false;
    info.classes = image_folder_classes(root, parts, sorted);
    info.classes_sorted = sorted;
    return make_dataset(read_image_folder(root, part, info.classes), info);
  };
  if (!divided) return whole_source(root, [load] { return load("", "all"); });
  Source source{root.string(), {}, {}, {}};
  for (const auto& part : parts) source.splits[part] = [load, part] { return load(part, part); };
  return source;
}

Source fer2013_source(const fs::path& path) {
  Source source{path.string(), {}, {{"public", "val"}, {"private", "test"}}, {}};
  const std::pair<const char*, const char*> usages[] = {{"train", "Training"}, {"val", "PublicTest"}, {"test", "PrivateTest"}};
  for (const auto& [split, usage] : usages)
    source.splits[split] = [path, split = std::string(split), usage = std::string(usage)] {
      RawPictures pictures;
      append_fer2013_csv(path, usage, pictures);
      return raw_from_path(std::move(pictures), path, load_manifest("fer2013").classes, split);
    };
  return source;
}

Source file_source(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.find("-idx") != std::string::npos)
    return whole_source(path, [path] {
      RawPictures pictures;
      append_idx(path, idx_labels_of(path), pictures);
      return raw_from_path(std::move(pictures), path, {}, "all");
    });
  if (name.ends_with(".bin"))
    return whole_source(path, [path] {
      RawPictures pictures;
      append_cifar10(path, pictures);
      return raw_from_path(std::move(pictures), path, load_manifest("cifar10").classes, "all");
    });
  if (name.ends_with(".csv") && is_fer2013_csv(path)) return fer2013_source(path);
  if (!name.ends_with(".txt") && !name.ends_with(".csv"))
    throw Error(path.string(), "is not a data set that can be read", "a folder of classes, a CIFAR-10 .bin, an IDX pair, a FER2013 csv or a list (.txt, .csv) was expected");
  return whole_source(path, [path] {
    DatasetInfo info;
    info.name = path.string();
    info.split = "all";
    return make_dataset(read_file_list(path), info);
  });
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
