#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "data/manifest.h"
#include "data/readers/readers.h"
#include "data/source.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

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

/// Annotations, pictures and the list of ids, as files_of_split names them.
FilePictures load_coco(const Manifest& m, const Json& split, const std::vector<fs::path>& files, const std::string& where) {
  const size_t parts = json_at<std::vector<std::string>>(split, "annotations", where).size();
  if (json_at<std::vector<std::string>>(split, "pictures", where).size() != parts)
    throw Error(where, "needs a folder of pictures for each annotation file");
  CocoRule rule;
  rule.category = json_at<std::string>(split, "category", where);
  rule.min_share = json_at<double>(split, "min_share", where);
  rule.by_box = json_at<bool>(split, "by_box", where);
  rule.crowds = json_at<bool>(split, "crowds", where);
  rule.skip_smaller = json_at<bool>(split, "skip_smaller", where);
  rule.leave_out_ids = split.contains("without");
  if (files.size() > 2 * parts) rule.ids = read_picture_ids(files[2 * parts]);
  std::vector<CocoPart> coco;
  for (size_t i = 0; i < parts; ++i) coco.push_back({files[i], files[parts + i]});
  return read_coco(coco, rule, m.classes);
}

/// The first of a split's optional files that is there.
fs::path first_of(const Json& split, const char* key, const fs::path& folder, const std::string& where) {
  if (split.contains(key))
    for (const auto& file : json_at<std::vector<std::string>>(split, key, where))
      if (const auto path = find_file(folder, file); !path.empty()) return path;
  return {};
}

constexpr const char* kMergedFer =
    "Read from folders: 'test' holds the public and the private test pictures together, 'val' is taken from train.";

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
  auto info = info_of(m, split);
  if (m.reader == "image_folder")
    return make_dataset(read_image_folder(*folder, json_at<std::string>(json, "folder", where), m.classes), info);
  const auto files = complete_files(m, split, *folder);
  if (m.reader == "file_list")
    return make_dataset(read_file_list(files[0], {json_at<std::string>(json, "path", where), json_at<std::string>(json, "label", where)}),
                        info);
  if (m.reader == "coco") return make_dataset(load_coco(m, json, files, where), info);
  if (m.reader == "ilsvrc")
    return make_dataset(
        read_ilsvrc(files[0], first_of(json, "truth", *folder, where), first_of(json, "number_map", *folder, where), m.synsets), info);
  if (m.reader == "fer2013" && fs::is_directory(files[0])) {
    info.notes.emplace_back(kMergedFer);
    return make_dataset(read_image_folder(*folder, json_at<std::string>(json, "folder", where), m.classes), info);
  }
  return make_dataset(load_raw(m, json, files, where), info);
}

/// FER2013 as folders has no public split of its own: then 'val' is the chosen tenth of train.
bool has_split(const Manifest& m, const std::string& split) {
  if (m.reader != "fer2013" || split != "val" || where_found(m, "val")) return true;
  const auto folder = where_found(m, "train");
  return !folder || !fs::is_directory(complete_files(m, "train", *folder).at(0));
}

}  // namespace

Source manifest_source(const std::string& name) {
  auto manifest = std::make_shared<const Manifest>(load_manifest(name));
  Source source{name, {}, manifest->split_names, {}};
  for (const auto& [split, json] : manifest->splits)
    if (has_split(*manifest, split)) source.splits[split] = [manifest, split = split] { return load_manifest_split(*manifest, split); };
  return source;
}

}  // namespace kinglet::data
