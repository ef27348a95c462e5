#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "data/readers/csv.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

struct Row {
  std::string path, label, where;
};

std::string where_of(const fs::path& path, size_t line) { return fmt::format("{}: line {}", path.string(), line + 1); }

size_t column_of(const std::vector<std::string>& header, const std::string& name, const fs::path& path) {
  auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end()) throw Error(where_of(path, 0), "has no column '" + name + "'", did_you_mean(name, header));
  return static_cast<size_t>(at - header.begin());
}

std::vector<Row> csv_rows(const fs::path& path, const ListColumns& columns) {
  const auto lines = csv_lines(path);
  if (lines.empty()) throw Error(path.string(), "is empty");
  const auto header = csv_fields(lines[0]);
  const size_t path_column = column_of(header, columns.path, path), label_column = column_of(header, columns.label, path);
  std::vector<Row> rows;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const auto fields = csv_fields(lines[i]);
    if (fields.size() != header.size()) throw Error(where_of(path, i), fmt::format("has {} fields where {} were expected", fields.size(), header.size()));
    rows.push_back({fields[path_column], fields[label_column], where_of(path, i)});
  }
  return rows;
}

std::vector<Row> plain_rows(const fs::path& path) {
  const auto lines = csv_lines(path);
  std::vector<Row> rows;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.empty() || line[0] == '#') continue;
    const size_t at = line.find_last_of(line.find(',') != std::string::npos ? "," : line.find('\t') != std::string::npos ? "\t" : " ");
    if (at == std::string::npos || at == 0 || at + 1 == line.size()) throw Error(where_of(path, i), "a path and a label were expected");
    rows.push_back({line.substr(0, line.find_last_not_of(" \t", at - 1) + 1), line.substr(line.find_first_not_of(" \t", at + 1)), where_of(path, i)});
  }
  return rows;
}

bool parse_index(const std::string& text, int& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Class names in order; index labels get the lines of labels.txt or their own numbers.
std::vector<std::string> classes_of(const std::vector<Row>& rows, bool indexed, const fs::path& labels, bool& sorted) {
  sorted = false;
  if (fs::is_regular_file(labels)) return read_labels(labels);
  std::set<std::string> names;
  int highest = 0, value = 0;
  for (const auto& row : rows) {
    if (indexed && parse_index(row.label, value)) highest = std::max(highest, value);
    if (!indexed) names.insert(row.label);
  }
  sorted = !indexed;
  if (!indexed) return {names.begin(), names.end()};
  if (highest > 100000) throw Error(labels.parent_path().string(), fmt::format("has a label of {}", highest));
  std::vector<std::string> numbers;
  for (int i = 0; i <= highest; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

}  // namespace

FilePictures read_file_list(const fs::path& path, const ListColumns& columns) {
  const auto rows = columns.path.empty() ? plain_rows(path) : csv_rows(path, columns);
  if (rows.empty()) throw Error(path.string(), "names no pictures (a path and a label a line were expected)");
  int value = 0;
  const bool indexed = std::all_of(rows.begin(), rows.end(), [&](const Row& row) { return parse_index(row.label, value); });
  FilePictures pictures;
  pictures.classes = classes_of(rows, indexed, path.parent_path() / "labels.txt", pictures.classes_sorted);
  for (const auto& row : rows) {
    int label = 0;
    if (indexed) {
      parse_index(row.label, label);
    } else {
      auto at = std::find(pictures.classes.begin(), pictures.classes.end(), row.label);
      if (at == pictures.classes.end()) throw Error(row.where, "label '" + row.label + "' is not in labels.txt", did_you_mean(row.label, pictures.classes));
      label = static_cast<int>(at - pictures.classes.begin());
    }
    pictures.entries.push_back({path.parent_path() / row.path, row.path, label});
  }
  return pictures;
}

}  // namespace kinglet::data
