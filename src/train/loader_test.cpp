// Pictures that do not fit into memory give the batches of those that do, whatever the number of threads.
#include "train/loader.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "train/recipe.h"

namespace kinglet::train {
namespace {

/// Drawn pictures of differing sizes; the one at `broken` cannot be read.
class Drawn : public data::Dataset {
 public:
  explicit Drawn(int64_t size, int64_t broken = -1) : size_(size), broken_(broken) {
    info_.name = "drawn";
    info_.classes = {"a", "b", "c"};
  }
  int64_t size() const override { return size_; }
  int label(int64_t index) const override { return static_cast<int>(index % 3); }
  data::Image image(int64_t index) const override {
    if (index == broken_) throw Error("drawn", "cannot be read");
    const int height = 14 + static_cast<int>(index % 5), width = 12 + static_cast<int>(index % 7);
    data::Image image{width, height, 3, std::vector<uint8_t>(static_cast<size_t>(width * height * 3))};
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 7 + static_cast<size_t>(index) * 31);
    return image;
  }
  std::string id(int64_t index) const override { return std::to_string(index); }
  const data::DatasetInfo& info() const override { return info_; }

 private:
  int64_t size_, broken_;
  data::DatasetInfo info_;
};

graph::InputSpec contract() {
  graph::InputSpec spec;
  spec.height = spec.width = 10;
  spec.channels = 3;
  spec.resize = graph::ResizeMode::crop;
  return spec;
}

struct Batches {
  Recipe recipe;
  int64_t most_bytes = kMostBytesKept;
  int64_t broken = -1;

  std::vector<Batch> all() const {
    graph::Value input;
    input.shape = Shape{1, 10, 10, 3};
    const data::Preprocessor preprocessor(contract(), input);
    const PixelStore store(std::make_shared<Drawn>(20, broken), preprocessor, 2, {}, most_bytes);
    EXPECT_EQ(store.kept(), most_bytes >= 20 * 300);
    Loader loader(store, preprocessor, recipe, 3, 4, 0);
    std::vector<Batch> batches;
    for (int64_t i = 0; i < steps_per_epoch(20, recipe.batch); ++i) batches.push_back(loader.next());
    return batches;
  }
};

Recipe eight_at_a_time(int threads, double crop_area) {
  Recipe recipe;
  recipe.batch = 8;
  recipe.threads = threads;
  recipe.augment.flip = true;
  recipe.augment.pad_crop = 1;
  recipe.augment.crop_area = crop_area;
  return recipe;
}

void expect_same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].pictures, b[i].pictures);
    EXPECT_TRUE(a[i].input == b[i].input) << "batch " << i;
    EXPECT_TRUE(a[i].targets == b[i].targets) << "batch " << i;
  }
}

TEST(Loader, PicturesReadAgainAreThoseKept) {
  const auto kept = Batches{eight_at_a_time(1, 0)}.all();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FALSE(kept[0].input == kept[1].input);
  expect_same(kept, Batches{eight_at_a_time(1, 0), 20 * 300}.all());
  expect_same(kept, Batches{eight_at_a_time(1, 0), 20 * 300 - 1}.all());
  expect_same(kept, Batches{eight_at_a_time(3, 0), 0}.all());
}

TEST(Loader, RandomCropsAreTheSameOnAnyNumberOfThreads) {
  const auto one = Batches{eight_at_a_time(1, 0.2), 0}.all();
  expect_same(one, Batches{eight_at_a_time(3, 0.2), 0}.all());
  expect_same(one, Batches{eight_at_a_time(3, 0.2)}.all());
  EXPECT_FALSE(one[0].input == (Batches{eight_at_a_time(1, 0), 0}.all()[0].input));
}

TEST(Loader, APictureThatCannotBeReadEndsTheEpochInWords) {
  EXPECT_THROW((Batches{eight_at_a_time(3, 0), 0, 11}.all()), Error) << "while making a batch";
  EXPECT_THROW((Batches{eight_at_a_time(3, 0), kMostBytesKept, 11}.all()), Error) << "before the first";
}

}  // namespace
}  // namespace kinglet::train
