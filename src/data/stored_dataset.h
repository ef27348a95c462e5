// The two ways pictures lie in storage: all of one size and in memory as bytes, or as files decoded when asked for.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace kinglet::data {

/// Filled by the readers, file after file.
struct RawPictures {
  int height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  ///< HWC, one picture after another
  std::vector<int> labels;
  std::vector<std::pair<std::string, int64_t>> parts;  ///< name of each file and the index of its first picture
};

struct FilePictures {
  struct Entry {
    std::filesystem::path path;
    std::string id;  ///< relative to the tree or list
    int label = 0;
  };
  std::vector<Entry> entries;
  std::vector<std::string> classes;
  bool classes_sorted = false;
};

/// Throws Error naming the picture when a label is not below the number of classes, or when there are no pictures.
DatasetPtr make_dataset(RawPictures pictures, DatasetInfo info);
DatasetPtr make_dataset(FilePictures pictures, DatasetInfo info);
/// The pictures of several sets with the same classes, one set after another; an id begins with its set's name.
DatasetPtr unite(std::vector<DatasetPtr> parts, DatasetInfo info);

}  // namespace kinglet::data
