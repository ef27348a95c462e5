#include <algorithm>

#include "base/error.h"
#include "data/manifest.h"
#include "data/readers/readers.h"
#include "data/source.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

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
  if (classes.empty())
    classes = class_names(path, pictures.labels.empty() ? 1 : 1 + *std::max_element(pictures.labels.begin(), pictures.labels.end()));
  info.classes = std::move(classes);
  return make_dataset(std::move(pictures), info);
}

Source whole_source(const fs::path& path, std::function<DatasetPtr()> load) {
  return {path.string(), {{"all", load}, {"train", load}}, {}, "all"};
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

constexpr const char* kRoboflowCsv = "_classes.csv";
using Parts = std::map<std::string, std::string>;  ///< the folder of each split

Parts parts_of_tree(const fs::path& root) {
  Parts parts;
  for (const auto& [split, folder] :
       {std::pair("train", "train"), std::pair("val", "valid"), std::pair("val", "val"), std::pair("test", "test")})
    if (fs::is_directory(root / folder)) parts[split] = folder;
  return parts;
}

DatasetPtr load_tree(const fs::path& root, const Parts& parts, const std::string& split) {
  DatasetInfo info;
  info.name = root.string();
  info.split = split;
  info.licence = roboflow_licence(root);
  if (parts.at(split).empty())
    info.notes = {"The tree has no train and test folders: 'all' is every picture, also those that training took from it."};
  std::vector<std::string> folders;
  for (const auto& [name, folder] : parts) folders.push_back(folder);
  bool sorted = false;
  info.classes = image_folder_classes(root, folders, sorted);
  info.classes_sorted = sorted;
  return make_dataset(read_image_folder(root, parts.at(split), info.classes), info);
}

DatasetPtr load_roboflow(const fs::path& root, const std::string& folder, const std::string& split) {
  DatasetInfo info;
  info.name = root.string();
  info.split = split;
  info.licence = roboflow_licence(root);
  return make_dataset(read_roboflow_csv(root / folder / kRoboflowCsv), info);
}

}  // namespace

Source tree_source(const fs::path& root) {
  const auto parts = parts_of_tree(root);
  if (parts.empty()) return whole_source(root, [root] { return load_tree(root, {{"all", ""}}, "all"); });
  Source source{root.string(), {}, {{"valid", "val"}}, {}};
  const bool csv = fs::is_regular_file(root / parts.begin()->second / kRoboflowCsv);
  for (const auto& [split, folder] : parts)
    source.splits[split] = [=, split = split, folder = folder] {
      return csv ? load_roboflow(root, folder, split) : load_tree(root, parts, split);
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
    throw Error(path.string(), "is not a data set that can be read",
                "a folder of classes, a CIFAR-10 .bin, an IDX pair, a FER2013 csv or a list (.txt, .csv) was expected");
  return whole_source(path, [path] {
    DatasetInfo info;
    info.name = path.string();
    info.split = "all";
    return make_dataset(read_file_list(path), info);
  });
}

}  // namespace kinglet::data
