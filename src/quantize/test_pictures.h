// A data set of random pictures in memory, for tests.
#pragma once

#include <string>

#include "base/random.h"
#include "data/dataset.h"
#include "graph/input_spec.h"

namespace kinglet::quantize {

class TestPictures : public data::Dataset {
 public:
  TestPictures(int64_t n, int height, int width, int channels, std::string split = "train") : n_(n), height_(height), width_(width), channels_(channels) {
    info_.name = "noise";
    info_.split = std::move(split);
    info_.classes = {"a", "b", "c"};
  }
  int64_t size() const override { return n_; }
  int label(int64_t index) const override { return static_cast<int>(index % 10 == 0 ? 0 : 1 + index % 2); }
  data::Image image(int64_t index) const override {
    data::Image image{height_, width_, channels_, std::vector<uint8_t>(static_cast<size_t>(height_ * width_ * channels_))};
    RandomStream random(3, 0, static_cast<uint64_t>(index), Purpose::draw);
    for (uint8_t& p : image.pixels) p = static_cast<uint8_t>(random.below(256));
    return image;
  }
  std::string id(int64_t index) const override { return "noise[" + std::to_string(index) + "]"; }
  const data::DatasetInfo& info() const override { return info_; }

 private:
  int64_t n_;
  int height_, width_, channels_;
  data::DatasetInfo info_;
};

/// The contract of pictures that come in the right size: x/255.
inline graph::InputSpec unit_spec(int height, int width, int channels) {
  graph::InputSpec spec;
  spec.height = height, spec.width = width, spec.channels = channels;
  if (channels == 1) spec.order = graph::ColorOrder::gray;
  return spec;
}

}  // namespace kinglet::quantize
