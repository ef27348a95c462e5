// Where the splits of a data argument come from: each is loaded when it is asked for.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "data/dataset.h"

namespace kinglet::data {

struct Source {
  std::string name;
  std::map<std::string, std::function<DatasetPtr()>> splits;
  std::map<std::string, std::string> split_names;  ///< other words for splits ("private": "test")
  std::string whole;                               ///< the split that a tree without train and test folders has; a default "test" means it

  bool has(const std::string& split) const { return splits.contains(split); }
  DatasetPtr load(const std::string& split) const { return splits.at(split)(); }
};

/// Of datasets/NAME.json.
Source manifest_source(const std::string& name);
/// Of a tree of pictures: class folders, with or without train, val (or valid) and test folders above them, or Roboflow's export
/// with a _classes.csv in each.
Source tree_source(const std::filesystem::path& root);
/// Of one file: CIFAR-10 binary, IDX, FER2013 csv, a list.
Source file_source(const std::filesystem::path& path);

}  // namespace kinglet::data
