// torch against the float reference, for every operator that can be trained and for the zoo's networks; and the fused
// affine regions against the plain run of the same nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "ops/builder.h"
#include "reference/interpreter.h"
#include "train/affine_region.h"
#include "train/network.h"
#include "zoo/zoo.h"

namespace kinglet::train {
namespace {

using graph::Activation;
using graph::OpKind;
using graph::ValueId;
using ops::GraphBuilder;

Tensor noise(Shape shape, uint64_t item, double low = -2, double high = 2) {
  Tensor tensor(DType::f32, shape);
  RandomStream random(20240607, 0, item, Purpose::draw);
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(random.uniform(low, high));
  return tensor;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(double(a[i]) - b[i]);
    worst = d <= worst ? worst : d;  // keeps a NaN
  }
  return worst;
}

/// Both interpreters on three pictures.
void expect_as_reference(graph::Graph graph, double tolerance, const std::string& what, double low = -2, double high = 2) {
  Network network(graph);
  const Shape one = graph.value(graph.inputs[0]).shape;
  const std::vector<Tensor> inputs{noise(one.with_dim(0, 3), 99, low, high)};
  const Tensor expected = reference::run(graph, inputs)[0], got = network.run(inputs[0]);
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  EXPECT_LE(largest_difference(got.data<float>(), expected.data<float>()), tolerance) << what;
}

class OneOp {
 public:
  explicit OneOp(Shape input) : x(builder.input("x", std::move(input))) {}
  ValueId weights(Shape shape, uint64_t item = 1, double low = -1, double high = 1) {
    return builder.constant("w" + std::to_string(item), noise(std::move(shape), item, low, high), true);
  }
  graph::Graph finish(OpKind op, graph::Attrs attrs, std::vector<ValueId> rest = {}) {
    rest.insert(rest.begin(), x);
    const ValueId y = builder.node(op, std::move(attrs), std::move(rest), "y");
    // Something trainable, so that a Network can be made of operators without parameters.
    const ValueId one = builder.constant("one", Tensor::of<float>(Shape{1}, std::vector<float>{1.0f}), true);
    builder.output(builder.node(OpKind::Mul, graph::ActivationAttrs{}, {y, one}, "out"));
    return builder.finish();
  }
  GraphBuilder builder;
  ValueId x;
};

graph::Padding explicit_pad(int top, int bottom, int left, int right) { return {graph::PaddingMode::explicit_, top, bottom, left, right}; }

TEST(Lowering, Convolutions) {
  for (int c : {1, 3, 17})
    for (int stride : {1, 2})
      for (auto padding : {graph::Padding{}, graph::Padding{graph::PaddingMode::same, 0, 0, 0, 0}, explicit_pad(1, 1, 1, 1), explicit_pad(0, 2, 1, 0)}) {
        for (int kernel : {1, 3}) {
          OneOp conv(Shape{1, 7, 9, c});
          graph::Conv2dAttrs attrs;
          attrs.stride_h = attrs.stride_w = stride;
          attrs.padding = padding;
          attrs.activation = stride == 1 ? Activation::none : Activation::relu6;
          const auto w = conv.weights(Shape{5, kernel, kernel, c}), b = conv.weights(Shape{5}, 2);
          expect_as_reference(conv.finish(OpKind::Conv2d, attrs, {w, b}), 1e-4, "conv c=" + std::to_string(c) + " k=" + std::to_string(kernel));
        }
        for (int multiplier : {1, 8}) {
          OneOp depthwise(Shape{1, 7, 9, c});
          graph::DepthwiseConv2dAttrs attrs;
          attrs.stride_h = attrs.stride_w = stride;
          attrs.padding = padding;
          attrs.multiplier = multiplier;
          attrs.activation = stride == 1 ? Activation::relu : Activation::none;
          const auto w = depthwise.weights(Shape{1, 3, 3, c * multiplier}), b = depthwise.weights(Shape{c * multiplier}, 2);
          expect_as_reference(depthwise.finish(OpKind::DepthwiseConv2d, attrs, {w, b}), 1e-4,
                              "depthwise c=" + std::to_string(c) + " m=" + std::to_string(multiplier));
        }
      }
}

TEST(Lowering, DilatedConvolution) {
  OneOp conv(Shape{1, 9, 9, 3});
  graph::Conv2dAttrs attrs;
  attrs.dilation_h = attrs.dilation_w = 2;
  const auto w = conv.weights(Shape{4, 3, 3, 3});
  expect_as_reference(conv.finish(OpKind::Conv2d, attrs, {w}), 1e-4, "dilated");
}

TEST(Lowering, FullyConnectedFlattensInNhwcOrder) {
  for (Shape input : {Shape{1, 3, 5, 7}, Shape{1, 17}}) {
    OneOp dense(input);
    const auto w = dense.weights(Shape{4, input.elements()}), b = dense.weights(Shape{4}, 2);
    expect_as_reference(dense.finish(OpKind::FullyConnected, graph::FullyConnectedAttrs{Activation::relu}, {w, b}), 1e-4, "dense");
  }
}

TEST(Lowering, Pools) {
  for (OpKind op : {OpKind::AveragePool2d, OpKind::MaxPool2d})
    for (auto padding : {graph::Padding{}, graph::Padding{graph::PaddingMode::same, 0, 0, 0, 0}, explicit_pad(1, 1, 1, 1)})
      for (int stride : {1, 2}) {
        OneOp pool(Shape{1, 7, 8, 3});
        graph::Pool2dAttrs attrs{3, 3, stride, stride, padding, Activation::none};
        expect_as_reference(pool.finish(op, attrs), 1e-5, "pool");
      }
}

TEST(Lowering, ElementwiseAndShapes) {
  for (OpKind op : {OpKind::Add, OpKind::Mul})
    for (Shape other : {Shape{1, 4, 5, 3}, Shape{1, 1, 1, 3}, Shape{1}}) {
      OneOp two(Shape{1, 4, 5, 3});
      const auto w = two.weights(other);
      expect_as_reference(two.finish(op, graph::ActivationAttrs{Activation::relu}, {w}), 1e-5, "two");
    }
  const Shape picture{1, 4, 5, 3};
  expect_as_reference(OneOp(picture).finish(OpKind::Relu, graph::NoAttrs{}), 0, "relu");
  expect_as_reference(OneOp(picture).finish(OpKind::Relu6, graph::NoAttrs{}), 0, "relu6", -9, 9);
  expect_as_reference(OneOp(picture).finish(OpKind::Logistic, graph::NoAttrs{}), 1e-6, "logistic");
  expect_as_reference(OneOp(picture).finish(OpKind::Softmax, graph::SoftmaxAttrs{0.5f}), 1e-6, "softmax");
  expect_as_reference(OneOp(picture).finish(OpKind::Mean, graph::MeanAttrs{{1, 2}, false}), 1e-6, "mean");
  expect_as_reference(OneOp(picture).finish(OpKind::Mean, graph::MeanAttrs{{1, 2}, true}), 1e-6, "mean keep");
  expect_as_reference(OneOp(picture).finish(OpKind::Reshape, graph::ReshapeAttrs{{12, 5}}), 0, "reshape");
  expect_as_reference(OneOp(picture).finish(OpKind::Pad, graph::PadAttrs{{0, 1, 0, 2}, {0, 0, 3, 0}}), 0, "pad");
  expect_as_reference(OneOp(picture).finish(OpKind::Dropout, graph::DropoutAttrs{0.5f}), 0, "dropout");
  expect_as_reference(OneOp(picture).finish(OpKind::FakeQuantize, graph::FakeQuantizeAttrs{{0.02f}, {3}, -1, -128, 127}), 1e-6, "fake", -1, 1);
}

TEST(Lowering, OperatorsThatMoveValues) {
  const Shape picture{1, 4, 5, 3};
  expect_as_reference(OneOp(picture).finish(OpKind::HardSwish, graph::NoAttrs{}), 1e-6, "hard swish", -5, 5);
  expect_as_reference(OneOp(picture).finish(OpKind::Transpose, graph::TransposeAttrs{{0, 3, 1, 2}}), 0, "transpose");
  expect_as_reference(OneOp(picture).finish(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 1, 0, 2}, {1, 4, 5, 3}, {1, 2, 3, 1}, {3}}), 0, "slice");
  expect_as_reference(OneOp(picture).finish(OpKind::ResizeNearest, graph::ResizeNearestAttrs{7, 3, false, true}), 0, "resize");
  OneOp joined(picture);
  const ValueId again = joined.x;
  expect_as_reference(joined.finish(OpKind::Concatenation, graph::ConcatenationAttrs{3}, {again, again}), 0, "concatenation");
}

TEST(Lowering, BatchNorm) {
  for (Shape input : {Shape{1, 4, 5, 17}, Shape{1, 17}}) {
    OneOp norm(input);
    const Shape c{17};
    const auto gamma = norm.weights(c, 1), beta = norm.weights(c, 2), mean = norm.builder.constant("m", noise(c, 3)),
               var = norm.builder.constant("v", noise(c, 4, 0.1, 3));
    expect_as_reference(norm.finish(OpKind::BatchNorm, graph::BatchNormAttrs{}, {gamma, beta, mean, var}), 1e-5, "batch norm");
  }
}

TEST(Lowering, ZooNetworks) {
  for (const char* spec : {"mobilenet_v2_rep@0.35,32x32x3,10", "mobilenet_v2_rep@0.35,32x32x1,10", "resnet8@32x32x3,10,input=unit",
                           "mobilenet_v1@0.25,96x96x3,2,act=relu,bias=yes",
                           "mobilenet_v2@0.25,32x32x3,5", "mobilenet_v2@0.25,33x31x3,5,padding=keras", "mobilenet_v3_small@0.25,32x32x3,5",
                           "mnasnet_a1@0.25,32x32x3,5", "squeezenet@0.25,36x32x3,5", "deepface_emotion@48x48x1,7,norm=yes", "plain_cnn@32x32x3,4"})
    expect_as_reference(zoo::build(spec, 5).graph, 1e-4, spec, 0, 1);
}

Batch make_batch(const graph::Graph& graph, int n, int classes) {
  return cycling_batch(noise(graph.value(graph.inputs[0]).shape.with_dim(0, n), 7, 0, 1), classes);
}

/// Two steps down the gradient; all weights but a few behind dead units have one (biases before a BatchNorm have none).
TEST(Lowering, EveryArchitectureTrains) {
  for (const zoo::Row& row : zoo::rows()) {
    const std::string spec = row.name == "deepface_emotion" ? "deepface_emotion@48x48x1,3,dropout=0,norm=yes"
                             : row.name == "resnet8"        ? "resnet8@16x16x3,3,input=unit"
                                                            : row.name + "@0.25,32x32x3,3";
    const auto graph = zoo::build(spec, 5).graph;
    Network network(graph);
    const Batch batch = make_batch(graph, 6, 3);
    auto& p = network.parameters();
    double first = 0, second = 0;
    for (double* loss : {&first, &second}) {
      *loss = network.train_step(batch).loss;
      double squares = 0;
      for (float g : p.gradients) squares += double(g) * g;
      ASSERT_TRUE(std::isfinite(*loss) && squares > 0) << spec;
      for (size_t i = 0; i < p.values.size(); ++i) p.values[i] -= static_cast<float>(0.01 / std::sqrt(squares)) * p.gradients[i];
    }
    EXPECT_TRUE(std::isfinite(second)) << spec;
    int without = 0, weights = 0;
    for (const auto& slot : p.slots()) {
      if (!slot.is_weight) continue;
      ++weights;
      const auto part = std::span(p.gradients).subspan(static_cast<size_t>(slot.offset), static_cast<size_t>(slot.size));
      without += std::all_of(part.begin(), part.end(), [](float g) { return g == 0; });
    }
    EXPECT_LE(without, weights / 10) << spec;
  }
}

/// The path of a GPU on the CPU: parameters copied for the step, gradients and statistics back.
TEST(Lowering, CopiesComputeWhatViewsCompute) {
  const auto graph = zoo::build("mobilenet_v2_rep@0.1,16x16x3,3,stages=2", 5).graph;
  Network views(graph, Network::Kernels::torch), copies(graph, Network::Kernels::torch, Device::copies);
  const Batch batch = make_batch(graph, 6, 3);
  for (int step = 0; step < 2; ++step) {
    EXPECT_EQ(views.train_step(batch).loss, copies.train_step(batch).loss);
    EXPECT_EQ(views.parameters().gradients, copies.parameters().gradients);
    EXPECT_EQ(views.parameters().statistics, copies.parameters().statistics);
    for (Network* network : {&views, &copies})
      for (size_t i = 0; i < network->parameters().values.size(); ++i) network->parameters().values[i] -= 0.01f * network->parameters().gradients[i];
  }
  EXPECT_TRUE(views.logits(batch.input) == copies.logits(batch.input));
}

TEST(Lowering, DevicesByName) {
  EXPECT_EQ(choose_device("cpu"), Device::cpu);
  EXPECT_NE(choose_device("auto"), Device::copies);
}

TEST(Lowering, RefusesWhatCannotBeTrained) {
  GraphBuilder builder;
  const auto x = builder.input("x", Shape{1, 4, 4, 3});
  const auto q = builder.node(OpKind::Quantize, graph::NoAttrs{}, {x}, "q", graph::QuantParams::per_tensor(0.1f, 0));
  builder.output(builder.node(OpKind::Dequantize, graph::NoAttrs{}, {q}, "y"));
  auto graph = builder.finish();
  graph.add_constant("w", noise(Shape{1}, 1), true);
  const auto message = [](const graph::Graph& g) -> std::string {
    try {
      Network network(g);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_NE(message(graph).find("cannot be trained"), std::string::npos);
  EXPECT_NE(message(OneOp(Shape{1, 4}).finish(OpKind::Relu, graph::NoAttrs{})), message(graph));
  GraphBuilder index;
  index.output(index.node(OpKind::ArgMax, graph::ArgMaxAttrs{1, false}, {index.input("x", Shape{1, 4})}, "y"));
  EXPECT_NE(message(index.finish()).find("no gradient passes"), std::string::npos);
}

/// Moves gamma, beta and biases off their starting values, so that no gradient vanishes by symmetry.
void perturb(graph::Graph& graph) {
  uint64_t item = 1000;
  for (int id = 0; id < graph.value_count(); ++id) {
    auto& value = graph.value(id);
    if (!value.trainable || value.shape.rank() != 1) continue;
    RandomStream random(3, 0, item++, Purpose::draw);
    for (float& x : value.constant->mutable_data<float>()) x += static_cast<float>(random.uniform(-0.3, 0.3));
  }
}

TEST(AffineRegions, AreTheRepBlocks) {
  const auto graph = zoo::build("mobilenet_v2_rep@0.35,32x32x3,10", 5).graph;
  const auto regions = find_affine_regions(graph);
  ASSERT_EQ(regions.size(), 6u);
  for (const auto& region : regions) EXPECT_EQ(region.ops.size(), 1 + 1 + 6 * 4 + 5u);  // bn, dense_bn, six times (conv, bn, bn, add), five add_dense
  EXPECT_TRUE(find_affine_regions(zoo::build("resnet8@32x32x3,10", 1).graph).empty());
  EXPECT_TRUE(find_affine_regions(zoo::build("mobilenet_v1@0.25,96x96x3,2", 1).graph).empty());
}

TEST(AffineRegions, TrainAsThePlainNodesDo) {
  auto graph = zoo::build("mobilenet_v2_rep@0.35,32x32x3,10", 5).graph;
  perturb(graph);
  Network fused(graph), plain(graph, Network::Kernels::torch);
  const Batch batch = make_batch(graph, 16, 10);
  const auto a = fused.train_step(batch), b = plain.train_step(batch);
  EXPECT_NEAR(a.loss, b.loss, 1e-4);
  const auto &p = fused.parameters(), &q = plain.parameters();
  EXPECT_LE(largest_difference(p.statistics, q.statistics), 1e-3);
  double difference = 0, size = 0;
  for (size_t i = 0; i < p.gradients.size(); ++i) {
    difference += std::pow(double(p.gradients[i]) - q.gradients[i], 2);
    size += std::pow(double(q.gradients[i]), 2);
  }
  EXPECT_LE(std::sqrt(difference / size), 1e-3);
  for (const auto& slot : q.slots()) {
    double worst = 0, scale = 0;
    for (int64_t i = slot.offset; i < slot.offset + slot.size; ++i) {
      worst = std::max(worst, std::fabs(double(p.gradients[size_t(i)]) - q.gradients[size_t(i)]));
      scale = std::max(scale, std::fabs(double(q.gradients[size_t(i)])));
    }
    EXPECT_LE(worst, 5e-3 * scale + 1e-5) << slot.name;
  }
}

}  // namespace
}  // namespace kinglet::train
