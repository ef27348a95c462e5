// For tests only: a data set held in memory, and a model whose class scores are the pixels themselves.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/model.h"
#include "ops/builder.h"

namespace kinglet::eval::toy {

/// One row of `values` is one picture of 1 x values x 1 pixels, gray.
class Pictures final : public data::Dataset {
 public:
  Pictures(std::vector<std::vector<uint8_t>> values, std::vector<int> labels, std::vector<std::string> classes)
      : values_(std::move(values)), labels_(std::move(labels)) {
    info_.name = "toy";
    info_.split = "test";
    info_.classes = std::move(classes);
  }
  int64_t size() const override { return static_cast<int64_t>(values_.size()); }
  int label(int64_t index) const override { return labels_.at(static_cast<size_t>(index)); }
  data::Image image(int64_t index) const override {
    const auto& row = values_.at(static_cast<size_t>(index));
    return {1, static_cast<int>(row.size()), 1, row};
  }
  std::string id(int64_t index) const override { return "toy[" + std::to_string(index) + "]"; }
  const data::DatasetInfo& info() const override { return info_; }
  data::DatasetInfo& mutable_info() { return info_; }

 private:
  std::vector<std::vector<uint8_t>> values_;
  std::vector<int> labels_;
  data::DatasetInfo info_;
};

/// Output i is pixel i: float32 gives pixel / 255, int8 and uint8 the same with scale 1/255.
inline graph::Model pixel_model(int classes, DType dtype) {
  ops::GraphBuilder builder;
  graph::QuantParams quant;
  if (dtype != DType::f32) quant = graph::QuantParams::per_tensor(1.0f / 255.0f, dtype == DType::s8 ? -128 : 0);
  const auto x = builder.input("pixels", {1, 1, classes, 1}, dtype, quant);
  builder.output(builder.node(graph::OpKind::Reshape, graph::ReshapeAttrs{{classes}}, {x}, "scores", quant));
  graph::Model model;
  model.name = "pixels";
  model.graph = builder.finish();
  model.input.height = 1;
  model.input.width = classes;
  model.input.channels = 1;
  model.input.order = graph::ColorOrder::gray;
  graph::set_origins(model.input, graph::Origin::embedded);
  return model;
}

}  // namespace kinglet::eval::toy
