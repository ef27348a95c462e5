#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

std::set<std::string> subfolders(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.')) names.insert(entry.path().filename().string());
  if (error) throw Error(folder.string(), "cannot be read: " + error.message());
  return names;
}

void append_class(const fs::path& root, const fs::path& folder, int label, FilePictures& pictures) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink, error))
    if (entry.is_regular_file() && is_picture_file(entry.path()))
      pictures.entries.push_back({entry.path(), entry.path().lexically_relative(root).generic_string(), label});
  if (error) throw Error(folder.string(), "cannot be read: " + error.message());
}

}  // namespace

bool is_picture_file(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return (ending == ".jpg" || ending == ".jpeg" || ending == ".png") && !path.filename().string().starts_with('.');
}

std::vector<std::string> image_folder_classes(const fs::path& root, const std::vector<std::string>& parts, bool& sorted) {
  std::set<std::string> folders;
  for (const auto& part : parts) folders.merge(subfolders(root / part));
  if (folders.empty()) throw Error(root.string(), "has no class folders", "a folder a class with JPEG or PNG pictures was expected");
  sorted = !fs::is_regular_file(root / "labels.txt");
  if (sorted) return {folders.begin(), folders.end()};
  auto labels = read_labels(root / "labels.txt");
  for (const auto& label : labels)
    if (!folders.contains(label))
      throw Error((root / "labels.txt").string(), fmt::format("names {} classes where the tree has {} class folders; '{}' has none", labels.size(), folders.size(), label));
  for (const auto& folder : folders)
    if (std::find(labels.begin(), labels.end(), folder) == labels.end())
      throw Error((root / "labels.txt").string(), fmt::format("names {} classes where the tree has {} class folders; '{}' is missing", labels.size(), folders.size(), folder));
  return labels;
}

FilePictures read_image_folder(const fs::path& root, const std::string& part, const std::vector<std::string>& classes) {
  FilePictures pictures;
  pictures.classes = classes;
  const fs::path top = part.empty() ? root : root / part;
  for (const auto& folder : subfolders(top)) {
    auto at = std::find(classes.begin(), classes.end(), folder);
    if (at == classes.end()) throw Error((top / folder).string(), "is not a known class", did_you_mean(folder, classes));
    append_class(root, top / folder, static_cast<int>(at - classes.begin()), pictures);
  }
  std::sort(pictures.entries.begin(), pictures.entries.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return pictures;
}

}  // namespace kinglet::data
