#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMaxAnnotationBytes = uint64_t{2} << 30;

struct Annotation {
  int64_t picture = 0, category = 0;
  double area = 0, box_w = 0, box_h = 0;
  bool crowd = false;
};

struct Picture {
  std::string file;
  double width = 0, height = 0;
};

struct CocoFile {
  std::map<int64_t, Picture> pictures;
  std::vector<Annotation> annotations;
  std::map<std::string, int64_t> categories;
};

/// Keeps the few fields wanted of "images", "annotations" and "categories"; outlines, half a gigabyte of them, pass by.
class CocoParser : public nlohmann::json_sax<Json> {
 public:
  explicit CocoParser(CocoFile& file) : file_(file) {}
  const std::string& error() const { return error_; }

  bool null() override { return true; }
  bool boolean(bool value) override { return number(value); }
  bool number_integer(number_integer_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t& value) override {
    if (depth_ == kItemDepth) texts_[key_] = value;
    return true;
  }
  bool binary(binary_t&) override { return true; }
  bool key(string_t& name) override {
    if (depth_ == 1) section_ = name;
    if (depth_ == kItemDepth) key_ = name;
    return true;
  }
  bool start_object(size_t) override {
    if (++depth_ == kItemDepth) texts_.clear(), numbers_.clear(), box_.clear();
    return true;
  }
  bool end_object() override {
    if (depth_-- == kItemDepth) finish_item();
    return true;
  }
  bool start_array(size_t) override {
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(size_t at, const std::string&, const nlohmann::detail::exception&) override {
    error_ = fmt::format("is not valid JSON at byte {}", at);
    return false;
  }

 private:
  static constexpr int kItemDepth = 3;  // {"images": [{ here

  bool number(double value) {
    if (depth_ == kItemDepth) numbers_[key_] = value;
    if (depth_ == kItemDepth + 1 && key_ == "bbox") box_.push_back(value);
    return true;
  }
  int64_t whole(const char* key) const {
    auto it = numbers_.find(key);
    return it == numbers_.end() ? -1 : static_cast<int64_t>(it->second);
  }
  double real(const char* key) const {
    auto it = numbers_.find(key);
    return it == numbers_.end() ? 0 : it->second;
  }
  void finish_item() {
    if (section_ == "images") file_.pictures[whole("id")] = {texts_["file_name"], real("width"), real("height")};
    if (section_ == "categories") file_.categories[texts_["name"]] = whole("id");
    if (section_ != "annotations") return;
    const bool has_box = box_.size() == 4;
    file_.annotations.push_back(
        {whole("image_id"), whole("category_id"), real("area"), has_box ? box_[2] : 0, has_box ? box_[3] : 0, real("iscrowd") != 0});
  }

  CocoFile& file_;
  int depth_ = 0;
  std::string section_, key_, error_;
  std::unordered_map<std::string, std::string> texts_;
  std::unordered_map<std::string, double> numbers_;
  std::vector<double> box_;
};

CocoFile parse_coco(const fs::path& path) {
  const std::string text = read_text_file(path, kMaxAnnotationBytes);
  CocoFile file;
  CocoParser parser(file);
  if (!Json::sax_parse(text, &parser))
    throw Error(path.string(), parser.error().empty() ? "is not valid JSON" : parser.error(),
                "an annotation file of COCO (instances_*.json) was expected");
  if (file.pictures.empty() || file.categories.empty())
    throw Error(path.string(), "has no 'images' or no 'categories'", "an annotation file of COCO (instances_*.json) was expected");
  return file;
}

enum class Presence { none, small, yes };

/// By picture: is the category seen, and large enough?
std::map<int64_t, Presence> presence(const CocoFile& file, const CocoRule& rule, const fs::path& path) {
  const auto category = file.categories.find(rule.category);
  if (category == file.categories.end()) throw Error(path.string(), "has no category '" + rule.category + "'");
  std::map<int64_t, Presence> seen;
  for (const auto& [id, picture] : file.pictures) seen[id] = Presence::none;
  for (const auto& a : file.annotations) {
    auto picture = file.pictures.find(a.picture);
    if (picture == file.pictures.end() || a.category != category->second || (a.crowd && !rule.crowds)) continue;
    const double share = (rule.by_box ? a.box_w * a.box_h : a.area) / (picture->second.width * picture->second.height);
    Presence& so_far = seen[a.picture];
    so_far = std::max(so_far, share > rule.min_share ? Presence::yes : Presence::small);
  }
  return seen;
}

/// The last run of digits before the ending: 343218 of "COCO_val2014_000000343218.jpg".
bool id_of_name(std::string name, int64_t& id) {
  name = name.substr(0, name.find('.'));
  const size_t last = name.find_last_of("0123456789");
  if (last == std::string::npos) return false;
  const size_t before = name.find_last_not_of("0123456789", last);
  const char* begin = name.data() + (before == std::string::npos ? 0 : before + 1);
  return std::from_chars(begin, name.data() + last + 1, id).ec == std::errc();
}

}  // namespace

std::set<int64_t> read_picture_ids(const fs::path& path) {
  std::istringstream text(read_text_file(path));
  std::set<int64_t> ids;
  int64_t id = 0;
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    line = line.substr(0, line.find_first_of(", \t\r"));
    if (line.empty() || line[0] == '#') continue;
    if (!id_of_name(line, id))
      throw Error(fmt::format("{}: line {}", path.string(), number), "names no picture of COCO (a number or a file name was expected)");
    ids.insert(id);
  }
  if (ids.empty()) throw Error(path.string(), "names no pictures");
  return ids;
}

FilePictures read_coco(const std::vector<CocoPart>& parts, const CocoRule& rule, const std::vector<std::string>& classes) {
  FilePictures pictures;
  pictures.classes = classes;
  for (const auto& part : parts) {
    const auto file = parse_coco(part.annotations);
    for (const auto& [id, seen] : presence(file, rule, part.annotations)) {
      const bool listed = !rule.ids.empty() && rule.ids.contains(id);
      if ((!rule.ids.empty() && listed == rule.leave_out_ids) || (seen == Presence::small && rule.skip_smaller)) continue;
      const auto& name = file.pictures.at(id).file;
      pictures.entries.push_back({part.pictures / name, part.pictures.filename().string() + "/" + name, seen == Presence::yes ? 1 : 0});
    }
  }
  return pictures;
}

}  // namespace kinglet::data
