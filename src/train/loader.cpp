#include "train/loader.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "train/randaugment.h"

namespace kinglet::train {

namespace {
constexpr size_t kAhead = 3;
}

PixelStore::PixelStore(data::DatasetPtr dataset, const data::Preprocessor& preprocessor, int threads, const ProgressCallback& progress, int64_t most_bytes)
    : dataset_(std::move(dataset)), preprocessor_(preprocessor), each_(preprocessor.pixel_bytes()) {
  const int64_t n = dataset_->size();
  if (n == 0) throw Error(dataset_->info().name, "has no pictures in split " + dataset_->info().split);
  labels_.resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) labels_[static_cast<size_t>(i)] = dataset_->label(i);
  if (n > most_bytes / static_cast<int64_t>(each_)) return;
  bytes_.resize(static_cast<size_t>(n) * each_);
  std::atomic<int64_t> done{0};
  ThreadPool pool(threads);
  pool.parallel_for(n, [&](int64_t i, int worker) {
    read(i, {&bytes_[static_cast<size_t>(i) * each_], each_});
    const int64_t now = ++done;
    if (progress && worker == 0 && now % 256 == 0) progress({"read", now, n, "pictures"});
  });
}

void PixelStore::read(int64_t i, std::span<uint8_t> out) const {
  const data::Image image = dataset_->image(i);
  preprocessor_.resample(image, contract_region(preprocessor_.spec(), image), out);
}

std::span<const uint8_t> PixelStore::pixels(int64_t i, std::span<uint8_t> scratch) const {
  if (kept()) return {&bytes_[static_cast<size_t>(i) * each_], each_};
  read(i, scratch.first(each_));
  return scratch.first(each_);
}

std::vector<int64_t> epoch_order(int64_t n, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, epoch, 0, Purpose::shuffle);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

int64_t steps_per_epoch(int64_t n, int batch) { return std::max<int64_t>(1, n / batch); }

Loader::Loader(const PixelStore& store, const data::Preprocessor& preprocessor, const Recipe& recipe, int classes, uint64_t epoch, int64_t first_step)
    : store_(store),
      preprocessor_(preprocessor),
      recipe_(recipe),
      classes_(classes),
      epoch_(epoch),
      size_{preprocessor.spec().height, preprocessor.spec().width, preprocessor.spec().channels},
      order_(epoch_order(store.size(), recipe.seed, epoch)),
      next_step_(first_step),
      steps_(steps_per_epoch(store.size(), recipe.batch)),
      pool_(store.kept() && recipe.augment.crop_area == 0 ? 1 : recipe.threads),
      thread_([this] { work(); }) {}

Loader::~Loader() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty() || failure_; });
  if (ready_.empty()) std::rethrow_exception(failure_);
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return batch;
}

void Loader::work() {
  try {
    for (int64_t step = next_step_; step < steps_; ++step) {
      Batch batch = make(step);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || ready_.size() < kAhead; });
      if (stop_) return;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

void Loader::fill_picture(int64_t picture, std::span<uint8_t> scratch, std::span<std::byte> out) const {
  const DrawKey key{recipe_.seed, epoch_, static_cast<uint64_t>(picture)};
  const size_t bytes = size_.bytes();
  const auto changed = scratch.first(bytes), read = scratch.subspan(bytes, bytes);
  std::span<const uint8_t> source = read;
  if (recipe_.augment.crop_area > 0) {
    const data::Image image = store_.dataset().image(picture);
    preprocessor_.resample(image, draw_region(recipe_.augment, image, key), read);
  } else {
    source = store_.pixels(picture, read);
  }
  change_geometry(recipe_.augment, size_, source, changed, key);
  apply_randaugment(recipe_.augment.randaugment, size_, changed, key);
  change_colors(recipe_.augment, size_, changed, key);
  preprocessor_.map(changed, out);
}

Batch Loader::make(int64_t step) {
  const int64_t first = step * recipe_.batch, n = std::min<int64_t>(recipe_.batch, store_.size() - first);
  Batch batch;
  batch.seed = recipe_.seed;
  batch.epoch = epoch_;
  batch.pictures.assign(order_.begin() + first, order_.begin() + first + n);
  batch.input = Tensor(DType::f32, Shape{n, size_.height, size_.width, size_.channels});
  batch.targets = Tensor(DType::f32, Shape{n, classes_});
  auto input = batch.input.mutable_data<float>();
  auto targets = batch.targets.mutable_data<float>();
  std::fill(targets.begin(), targets.end(), static_cast<float>(recipe_.label_smoothing / classes_));
  std::vector<std::vector<uint8_t>> scratch(static_cast<size_t>(pool_.threads()), std::vector<uint8_t>(2 * size_.bytes()));
  pool_.parallel_for(n, [&](int64_t i, int worker) {
    const int64_t picture = batch.pictures[static_cast<size_t>(i)];
    fill_picture(picture, scratch[static_cast<size_t>(worker)], std::as_writable_bytes(input.subspan(static_cast<size_t>(i) * size_.bytes(), size_.bytes())));
    targets[static_cast<size_t>(i * classes_ + store_.label(picture))] += static_cast<float>(1 - recipe_.label_smoothing);
  });
  apply_mix(draw_mix(recipe_.augment, size_, recipe_.seed, epoch_, static_cast<uint64_t>(step)), size_, n, input, classes_, targets);
  return batch;
}

}  // namespace kinglet::train
