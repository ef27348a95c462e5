#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "data/readers/readers.h"

namespace kinglet::data {

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  std::istringstream text(read_text_file(path, uint64_t{16} << 20));
  std::vector<std::string> labels;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  if (labels.empty()) throw Error(path.string(), "names no classes (one a line was expected)");
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) throw Error(fmt::format("{}: line {}", path.string(), i + 1), "is empty where a class name was expected");
    if (std::count(labels.begin(), labels.begin() + static_cast<ptrdiff_t>(i), labels[i]) > 0)
      throw Error(fmt::format("{}: line {}", path.string(), i + 1), "names class '" + labels[i] + "' a second time");
  }
  return labels;
}

}  // namespace kinglet::data
