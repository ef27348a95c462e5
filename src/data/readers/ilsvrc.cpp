#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

bool is_synset(const std::string& name) {
  return name.size() == 9 && name[0] == 'n' && std::all_of(name.begin() + 1, name.end(), [](unsigned char c) { return std::isdigit(c); });
}

struct Line {
  std::string text, where;
};

std::vector<Line> lines_of(const fs::path& path) {
  std::istringstream text(read_text_file(path));
  std::vector<Line> lines;
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back({line, fmt::format("{}: line {}", path.string(), number)});
  }
  return lines;
}

int label_of_synset(const std::string& synset, const std::vector<std::string>& synsets, const std::string& where) {
  const auto at = std::lower_bound(synsets.begin(), synsets.end(), synset);
  if (at == synsets.end() || *at != synset)
    throw Error(where, "'" + synset + "' is none of the " + std::to_string(synsets.size()) + " classes of ILSVRC2012");
  return static_cast<int>(at - synsets.begin());
}

bool parse_number(const std::string& text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// map_clsloc.txt: "n02119789 1 kit_fox". The numbers of the ground truth file, which are not the classes' order.
std::map<int, int> read_number_map(const fs::path& path, const std::vector<std::string>& synsets) {
  std::map<int, int> labels;
  for (const auto& line : lines_of(path)) {
    std::istringstream words(line.text);
    std::string synset, number;
    words >> synset >> number;
    int value = 0;
    if (!is_synset(synset) || !parse_number(number, value)) throw Error(line.where, "a synset and a number were expected");
    labels[value] = label_of_synset(synset, synsets, line.where);
  }
  return labels;
}

/// Numbers of the development kit, or synsets, a line a picture in order of the pictures' names.
std::vector<int> read_ordered_truth(const std::vector<Line>& lines, const fs::path& path, const fs::path& number_map,
                                    const std::vector<std::string>& synsets) {
  std::map<int, int> numbers;
  std::vector<int> labels;
  for (const auto& line : lines) {
    int number = 0;
    if (is_synset(line.text)) {
      labels.push_back(label_of_synset(line.text, synsets, line.where));
    } else if (parse_number(line.text, number)) {
      if (numbers.empty() && number_map.empty())
        throw Error(path.string(), "numbers its classes in the order of the development kit",
                    "put the kit's map_clsloc.txt beside it, or use LOC_val_solution.csv");
      if (numbers.empty()) numbers = read_number_map(number_map, synsets);
      if (!numbers.contains(number)) throw Error(line.where, fmt::format("class {} is not in {}", number, number_map.string()));
      labels.push_back(numbers[number]);
    } else {
      throw Error(line.where, "a class number of the development kit or a synset was expected");
    }
  }
  return labels;
}

/// LOC_val_solution.csv: "ILSVRC2012_val_00000001,n01751748 111 108 370 294"; or "NAME.JPEG 65", the label itself.
std::map<std::string, int> read_named_truth(const std::vector<Line>& lines, const std::vector<std::string>& synsets) {
  std::map<std::string, int> labels;
  for (const auto& line : lines) {
    if (line.text.starts_with("ImageId")) continue;
    const size_t at = line.text.find_first_of(", ");
    const std::string name = fs::path(line.text.substr(0, at)).stem().string();
    std::string word = at == std::string::npos ? "" : line.text.substr(at + 1);
    word = word.substr(0, word.find(' '));
    int label = 0;
    if (is_synset(word))
      label = label_of_synset(word, synsets, line.where);
    else if (!parse_number(word, label) || label < 0 || label >= static_cast<int>(synsets.size()))
      throw Error(line.where, "a picture's name and its synset or label were expected");
    labels[name] = label;
  }
  return labels;
}

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && is_picture_file(entry.path())) pictures.push_back(entry.path());
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

bool has_synset_folders(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && is_synset(entry.path().filename().string())) return true;
  return false;
}

FilePictures by_truth(const fs::path& folder, const fs::path& truth, const fs::path& number_map, const std::vector<std::string>& synsets) {
  const auto lines = lines_of(truth);
  const auto files = pictures_in(folder);
  if (lines.empty()) throw Error(truth.string(), "is empty");
  FilePictures pictures;
  int ignored = 0;
  if (is_synset(lines[0].text) || parse_number(lines[0].text, ignored)) {
    const auto labels = read_ordered_truth(lines, truth, number_map, synsets);
    if (labels.size() != files.size())
      throw Error(truth.string(), fmt::format("has {} lines for the {} pictures in {}", labels.size(), files.size(), folder.string()));
    for (size_t i = 0; i < files.size(); ++i) pictures.entries.push_back({files[i], files[i].filename().string(), labels[i]});
    return pictures;
  }
  const auto labels = read_named_truth(lines, synsets);
  for (const auto& file : files) {
    const auto it = labels.find(file.stem().string());
    if (it == labels.end()) throw Error(file.string(), "is not named by " + truth.string());
    pictures.entries.push_back({file, file.filename().string(), it->second});
  }
  return pictures;
}

}  // namespace

FilePictures read_ilsvrc(const fs::path& folder, const fs::path& truth, const fs::path& number_map,
                         const std::vector<std::string>& synsets) {
  KINGLET_CHECK(std::is_sorted(synsets.begin(), synsets.end()));
  if (has_synset_folders(folder)) return read_image_folder(folder, "", synsets);
  if (truth.empty())
    throw Error(folder.string(), "has neither synset folders (n01440764, ...) nor a file of labels beside it",
                "put LOC_val_solution.csv or ILSVRC2012_validation_ground_truth.txt with map_clsloc.txt beside it");
  return by_truth(folder, truth, number_map, synsets);
}

}  // namespace kinglet::data
