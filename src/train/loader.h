// Pictures as bytes of the input's size, in memory where they fit, and batches made of them ahead of the training on
// threads of their own.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "train/augment.h"
#include "train/network.h"

namespace kinglet::train {

/// Bytes of pictures that a split may keep in memory: CIFAR-10 takes 150 MB, ImageNet at 224x224 would take 190 GB.
inline constexpr int64_t kMostBytesKept = int64_t{4} << 30;

/// A split after stage 1 of the input contract: kept as bytes, or read again for each use where there would be too many.
class PixelStore {
 public:
  /// Reads every picture on `threads` threads, unless they come to more than `most_bytes`. `preprocessor` must outlive it.
  PixelStore(data::DatasetPtr dataset, const data::Preprocessor& preprocessor, int threads, const ProgressCallback& progress, int64_t most_bytes = kMostBytesKept);
  int64_t size() const { return static_cast<int64_t>(labels_.size()); }
  int label(int64_t i) const { return labels_[static_cast<size_t>(i)]; }
  bool kept() const { return !bytes_.empty(); }
  /// The bytes of a picture; where they are not kept, they are read into `scratch` (pixel_bytes() of them). Thread-safe.
  std::span<const uint8_t> pixels(int64_t i, std::span<uint8_t> scratch) const;
  size_t pixel_bytes() const { return each_; }
  const data::Dataset& dataset() const { return *dataset_; }

 private:
  void read(int64_t i, std::span<uint8_t> out) const;

  data::DatasetPtr dataset_;
  const data::Preprocessor& preprocessor_;
  size_t each_;
  std::vector<uint8_t> bytes_;
  std::vector<int> labels_;
};

/// The order of an epoch: a shuffle by (seed, epoch).
std::vector<int64_t> epoch_order(int64_t n, uint64_t seed, uint64_t epoch);
/// Batches in an epoch; the last short one is left out unless it is the only one.
int64_t steps_per_epoch(int64_t n, int batch);

class Loader {
 public:
  /// Makes the batches of `epoch` from `first_step` on, on the recipe's threads where pictures must be decoded, else on one.
  /// All arguments must outlive it.
  Loader(const PixelStore& store, const data::Preprocessor& preprocessor, const Recipe& recipe, int classes, uint64_t epoch, int64_t first_step);
  ~Loader();
  /// The next batch, in order. Throws what went wrong while making it.
  Batch next();

 private:
  void work();
  Batch make(int64_t step);
  void fill_picture(int64_t picture, std::span<uint8_t> scratch, std::span<std::byte> out) const;

  const PixelStore& store_;
  const data::Preprocessor& preprocessor_;
  const Recipe& recipe_;
  const int classes_;
  const uint64_t epoch_;
  const Size size_;
  std::vector<int64_t> order_;
  int64_t next_step_, steps_;
  ThreadPool pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace kinglet::train
