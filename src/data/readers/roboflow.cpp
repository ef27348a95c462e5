#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "data/readers/csv.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// The one column that holds a 1.
int marked_class(const std::vector<std::string>& fields, const std::string& where) {
  int label = -1;
  for (size_t i = 1; i < fields.size(); ++i) {
    const std::string mark = trimmed(fields[i]);
    if (mark != "0" && mark != "1") throw Error(where, "'" + mark + "' where 0 or 1 was expected");
    if (mark == "0") continue;
    if (label >= 0)
      throw Error(where, "marks more than one class", "Kinglet's classifiers give one class a picture: export as a single-label project");
    label = static_cast<int>(i) - 1;
  }
  if (label < 0) throw Error(where, "marks no class");
  return label;
}

}  // namespace

FilePictures read_roboflow_csv(const fs::path& path) {
  const auto lines = csv_lines(path);
  if (lines.empty()) throw Error(path.string(), "is empty");
  const auto header = csv_fields(lines[0]);
  if (header.size() < 3 || trimmed(header[0]) != "filename")
    throw Error(path.string(), "does not begin with 'filename' and at least two classes");
  FilePictures pictures;
  for (size_t i = 1; i < header.size(); ++i) pictures.classes.push_back(trimmed(header[i]));
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string where = fmt::format("{}: line {}", path.string(), i + 1);
    const auto fields = csv_fields(lines[i]);
    if (fields.size() != header.size())
      throw Error(where, fmt::format("has {} fields where {} were expected", fields.size(), header.size()));
    pictures.entries.push_back({path.parent_path() / trimmed(fields[0]), path.parent_path().filename().string() + "/" + trimmed(fields[0]),
                                marked_class(fields, where)});
  }
  return pictures;
}

std::string roboflow_licence(const fs::path& root) {
  for (const char* name : {"README.dataset.txt", "README.roboflow.txt"}) {
    std::ifstream file(root / name);
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("License:")) return trimmed(line.substr(8, line.find('\r') - 8));
  }
  return "";
}

}  // namespace kinglet::data
