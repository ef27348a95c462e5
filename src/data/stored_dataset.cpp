#include "data/stored_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace kinglet::data {

namespace {

void check_label(int label, const DatasetInfo& info, const std::string& id) {
  if (label < 0 || label >= static_cast<int>(info.classes.size()))
    throw Error(id, fmt::format("has label {} where {} classes are known", label, info.classes.size()),
                "check the list of classes (labels.txt) and its length");
}

class RawDataset : public Dataset {
 public:
  RawDataset(RawPictures pictures, DatasetInfo info) : pictures_(std::move(pictures)), info_(std::move(info)) {
    picture_bytes_ = static_cast<size_t>(pictures_.height) * pictures_.width * pictures_.channels;
    KINGLET_CHECK(pictures_.pixels.size() == picture_bytes_ * pictures_.labels.size());
    for (int64_t i = 0; i < size(); ++i)
      if (pictures_.labels[i] < 0 || pictures_.labels[i] >= static_cast<int>(info_.classes.size())) check_label(label(i), info_, id(i));
  }
  int64_t size() const override { return static_cast<int64_t>(pictures_.labels.size()); }
  int label(int64_t index) const override { return pictures_.labels.at(static_cast<size_t>(index)); }
  Image image(int64_t index) const override {
    KINGLET_CHECK(index >= 0 && index < size());
    const auto* from = pictures_.pixels.data() + static_cast<size_t>(index) * picture_bytes_;
    return {pictures_.height, pictures_.width, pictures_.channels, std::vector<uint8_t>(from, from + picture_bytes_)};
  }
  std::string id(int64_t index) const override {
    auto after = std::find_if(pictures_.parts.begin(), pictures_.parts.end(), [&](const auto& part) { return part.second > index; });
    KINGLET_CHECK(after != pictures_.parts.begin());
    --after;
    return fmt::format("{}[{}]", after->first, index - after->second);
  }
  const DatasetInfo& info() const override { return info_; }

 private:
  RawPictures pictures_;
  DatasetInfo info_;
  size_t picture_bytes_ = 0;
};

class FileDataset : public Dataset {
 public:
  FileDataset(FilePictures pictures, DatasetInfo info) : entries_(std::move(pictures.entries)), info_(std::move(info)) {
    for (const auto& entry : entries_) check_label(entry.label, info_, entry.path.string());
  }
  int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  int label(int64_t index) const override { return entries_.at(static_cast<size_t>(index)).label; }
  Image image(int64_t index) const override { return read_image(entries_.at(static_cast<size_t>(index)).path); }
  std::string id(int64_t index) const override { return entries_.at(static_cast<size_t>(index)).id; }
  const DatasetInfo& info() const override { return info_; }

 private:
  std::vector<FilePictures::Entry> entries_;
  DatasetInfo info_;
};

class Subset : public Dataset {
 public:
  Subset(DatasetPtr base, std::vector<int64_t> indices, std::string split)
      : base_(std::move(base)), indices_(std::move(indices)), info_(base_->info()) {
    info_.split = std::move(split);
    for (int64_t index : indices_) KINGLET_CHECK(index >= 0 && index < base_->size());
  }
  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  int label(int64_t index) const override { return base_->label(indices_.at(static_cast<size_t>(index))); }
  Image image(int64_t index) const override { return base_->image(indices_.at(static_cast<size_t>(index))); }
  std::string id(int64_t index) const override { return base_->id(indices_.at(static_cast<size_t>(index))); }
  const DatasetInfo& info() const override { return info_; }

 private:
  DatasetPtr base_;
  std::vector<int64_t> indices_;
  DatasetInfo info_;
};

class Concatenation : public Dataset {
 public:
  Concatenation(DatasetPtr first, DatasetPtr second, std::string split)
      : first_(std::move(first)), second_(std::move(second)), info_(first_->info()) {
    if (first_->info().classes != second_->info().classes)
      throw Error(info_.name, fmt::format("has the classes {} in {} and {} in {}", fmt::join(info_.classes, ", "), info_.split, fmt::join(second_->info().classes, ", "), second_->info().split),
                  "the same names in the same order are needed");
    info_.split = std::move(split);
  }
  int64_t size() const override { return first_->size() + second_->size(); }
  int label(int64_t index) const override { return in_first(index) ? first_->label(index) : second_->label(index - first_->size()); }
  Image image(int64_t index) const override { return in_first(index) ? first_->image(index) : second_->image(index - first_->size()); }
  std::string id(int64_t index) const override { return in_first(index) ? first_->id(index) : second_->id(index - first_->size()); }
  const DatasetInfo& info() const override { return info_; }

 private:
  bool in_first(int64_t index) const { return index < first_->size(); }
  DatasetPtr first_, second_;
  DatasetInfo info_;
};

class Union : public Dataset {
 public:
  Union(std::vector<DatasetPtr> parts, DatasetInfo info) : parts_(std::move(parts)), info_(std::move(info)) {
    for (const auto& part : parts_) {
      KINGLET_CHECK(part->info().classes == info_.classes);
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + part->size());
    }
  }
  int64_t size() const override { return ends_.back(); }
  int label(int64_t index) const override {
    const auto [part, at] = find(index);
    return part->label(at);
  }
  Image image(int64_t index) const override {
    const auto [part, at] = find(index);
    return part->image(at);
  }
  std::string id(int64_t index) const override {
    const auto [part, at] = find(index);
    return part->info().name + "/" + part->id(at);
  }
  const DatasetInfo& info() const override { return info_; }

 private:
  std::pair<const Dataset*, int64_t> find(int64_t index) const {
    KINGLET_CHECK(index >= 0 && index < size());
    const auto at = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
    return {parts_[at].get(), index - (at == 0 ? 0 : ends_[at - 1])};
  }
  std::vector<DatasetPtr> parts_;
  std::vector<int64_t> ends_;
  DatasetInfo info_;
};

}  // namespace

DatasetPtr unite(std::vector<DatasetPtr> parts, DatasetInfo info) {
  KINGLET_CHECK(!parts.empty());
  return std::make_shared<Union>(std::move(parts), std::move(info));
}

DatasetPtr make_dataset(RawPictures pictures, DatasetInfo info) {
  return std::make_shared<RawDataset>(std::move(pictures), std::move(info));
}

DatasetPtr make_dataset(FilePictures pictures, DatasetInfo info) {
  if (pictures.entries.empty()) throw Error(info.name, "has no pictures (JPEG or PNG) in split '" + info.split + "'");
  if (info.classes.empty()) {
    info.classes = pictures.classes;
    info.classes_sorted = pictures.classes_sorted;
  }
  return std::make_shared<FileDataset>(std::move(pictures), std::move(info));
}

DatasetPtr subset(DatasetPtr base, std::vector<int64_t> indices, std::string split) {
  return std::make_shared<Subset>(std::move(base), std::move(indices), std::move(split));
}

DatasetPtr concatenate(DatasetPtr first, DatasetPtr second, std::string split) {
  return std::make_shared<Concatenation>(std::move(first), std::move(second), std::move(split));
}

}  // namespace kinglet::data
