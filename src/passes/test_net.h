// Small random networks for tests of passes and quantization, built in a few words.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "ops/builder.h"

namespace kinglet::passes {

class TestNet {
 public:
  using ValueId = graph::ValueId;

  explicit TestNet(uint64_t seed = 1) : seed_(seed) {}

  ValueId input(Shape shape) { return builder_.input("x", shape); }

  /// Weights uniform in +-high around `mid`.
  ValueId param(const std::string& name, Shape shape, double high = 0.5, double mid = 0.0) {
    Tensor tensor(DType::f32, shape);
    RandomStream random(seed_, 0, item_++, Purpose::init);
    for (float& w : tensor.mutable_data<float>()) w = static_cast<float>(mid + random.uniform(-high, high));
    return builder_.constant(name, std::move(tensor), true);
  }

  struct ConvSpec {
    int kernel = 3, stride = 1;
    graph::Padding padding{graph::PaddingMode::same, 0, 0, 0, 0};
    bool bias = true;
  };

  ValueId conv(ValueId x, int out, const std::string& name, ConvSpec spec) {
    std::vector<ValueId> inputs{x, param(name + "_w", Shape{out, spec.kernel, spec.kernel, builder_.value(x).shape[3]})};
    if (spec.bias) inputs.push_back(param(name + "_b", Shape{out}));
    graph::Conv2dAttrs attrs;
    attrs.stride_h = attrs.stride_w = spec.stride;
    attrs.padding = spec.padding;
    return builder_.node(graph::OpKind::Conv2d, attrs, inputs, name);
  }
  ValueId conv(ValueId x, int out, const std::string& name) { return conv(x, out, name, {}); }
  ValueId conv1x1(ValueId x, int out, const std::string& name) { return conv(x, out, name, {1, 1, {}, true}); }

  ValueId depthwise(ValueId x, const std::string& name, int kernel = 3, int stride = 1) {
    const int64_t c = builder_.value(x).shape[3];
    graph::DepthwiseConv2dAttrs attrs;
    attrs.stride_h = attrs.stride_w = stride;
    attrs.padding = {graph::PaddingMode::same, 0, 0, 0, 0};
    return builder_.node(graph::OpKind::DepthwiseConv2d, attrs, {x, param(name + "_w", Shape{1, kernel, kernel, c}), param(name + "_b", Shape{c})}, name);
  }

  ValueId batch_norm(ValueId x, const std::string& name) {
    const int64_t c = builder_.value(x).shape.back();
    return builder_.node(graph::OpKind::BatchNorm, graph::BatchNormAttrs{},
                         {x, param(name + "_gamma", Shape{c}, 0.4, 1.0), param(name + "_beta", Shape{c}), param(name + "_mean", Shape{c}),
                          param(name + "_var", Shape{c}, 0.4, 1.0)}, name);
  }

  ValueId relu(ValueId x, const std::string& name) { return builder_.node(graph::OpKind::Relu, graph::NoAttrs{}, {x}, name); }
  ValueId relu6(ValueId x, const std::string& name) { return builder_.node(graph::OpKind::Relu6, graph::NoAttrs{}, {x}, name); }
  ValueId add(ValueId a, ValueId b, const std::string& name) { return builder_.node(graph::OpKind::Add, graph::ActivationAttrs{}, {a, b}, name); }
  ValueId mean(ValueId x, const std::string& name) { return builder_.node(graph::OpKind::Mean, graph::MeanAttrs{{1, 2}, false}, {x}, name); }
  ValueId dense(ValueId x, int out, const std::string& name) {
    const int64_t in = builder_.value(x).shape.elements();
    return builder_.node(graph::OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, param(name + "_w", Shape{out, in}), param(name + "_b", Shape{out})}, name);
  }
  ValueId node(graph::OpKind op, graph::Attrs attrs, ValueId x, const std::string& name) { return builder_.node(op, std::move(attrs), {x}, name); }

  ops::GraphBuilder& builder() { return builder_; }
  graph::Graph finish(ValueId y) {
    builder_.output(y);
    return builder_.finish();
  }

 private:
  ops::GraphBuilder builder_;
  uint64_t seed_;
  uint64_t item_ = 0;
};

}  // namespace kinglet::passes
