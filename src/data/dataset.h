// Labelled pictures of one split: random access by index, decoded on demand (raw sets stay in memory as bytes).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/image.h"

namespace kinglet::data {

/// What the cards say of a data set.
struct DatasetInfo {
  std::string name;                  ///< "cifar10"
  std::string split;                 ///< "train", "val", "test"
  std::vector<std::string> classes;  ///< in label order
  bool classes_sorted = false;       ///< the order was only assumed: sorted folder names
  std::string licence, citation, url;
  std::vector<std::string> notes;    ///< weaknesses a card must repeat
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual int label(int64_t index) const = 0;
  /// Thread-safe. Throws Error naming the file.
  virtual Image image(int64_t index) const = 0;
  /// A stable name of the picture for reports ("test_batch.bin[17]", "cat/12.jpg").
  virtual std::string id(int64_t index) const = 0;
  virtual const DatasetInfo& info() const = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// A view of chosen indices of another data set (validation split, calibration sample).
DatasetPtr subset(DatasetPtr base, std::vector<int64_t> indices, std::string split);

/// All of `first`, then all of `second`; classes must be the same.
DatasetPtr concatenate(DatasetPtr first, DatasetPtr second, std::string split);

/// `text` is a data argument of the command line: NAME[:SPLIT] of a manifest, or a path. Default split: test for
/// evaluation (`default_split`). Split "val" of a set without one is the hash-chosen tenth of train (at most 5,000
/// pictures); "train" then is the rest, and "train+val" all of it. Throws Error saying where it looked.
/// Paths: an ImageFolder tree (with or without train, val and test folders), a CIFAR-10 binary file, an IDX picture file with
/// its labels file beside it, a FER2013 csv, a list of pictures (.txt, .csv). ":train", ":val", ":test" may follow a path.
DatasetPtr open_dataset(const std::string& text, const std::string& default_split);

/// What training uses of NAME or a path: both views share one copy in memory. A split in `text` is a usage Error, since
/// training never opens the test split. With `use_val` false, `val` is null and `train` is "train+val".
struct TrainingData {
  DatasetPtr train, val;
};
TrainingData open_training_data(const std::string& text, bool use_val = true);

}  // namespace kinglet::data
