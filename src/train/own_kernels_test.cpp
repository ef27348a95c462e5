// The kernels that training has of its own against the sums written down and against torch's.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "ops/builder.h"
#include "train/depthwise_gradient.h"
#include "train/network.h"
#include "zoo/zoo.h"

namespace kinglet::train {
namespace {

std::vector<float> draw(int64_t n, uint64_t item) {
  std::vector<float> out(static_cast<size_t>(n));
  RandomStream random(31, 0, item, Purpose::draw);
  for (float& x : out) x = static_cast<float>(random.uniform(-1, 1));
  return out;
}

std::vector<double> written_down(const std::vector<float>& x, const std::vector<float>& dy, int pictures, int channels, const ops::Window& w) {
  std::vector<double> out;
  for (int ky = 0; ky < w.kernel_h; ++ky)
    for (int kx = 0; kx < w.kernel_w; ++kx)
      for (int c = 0; c < channels; ++c) {
        double sum = 0;
        for (int p = 0; p < pictures; ++p)
          for (int oy = 0; oy < w.out_h; ++oy)
            for (int ox = 0; ox < w.out_w; ++ox) {
              const int iy = oy * w.stride_h + ky * w.dilation_h - w.pad_top, ix = ox * w.stride_w + kx * w.dilation_w - w.pad_left;
              if (iy < 0 || iy >= w.in_h || ix < 0 || ix >= w.in_w) continue;
              sum += double(x[size_t(((p * w.in_h + iy) * w.in_w + ix) * channels + c)]) * dy[size_t(((p * w.out_h + oy) * w.out_w + ox) * channels + c)];
            }
        out.push_back(sum);
      }
  return out;
}

const ParallelFor kBackwards = [](int64_t n, const std::function<void(int64_t, int64_t)>& body) {
  for (int64_t i = n; i-- > 0;) body(i, i + 1);
};
const ParallelFor kAtOnce = [](int64_t n, const std::function<void(int64_t, int64_t)>& body) { body(0, n); };

TEST(OwnKernels, DepthwiseGradientIsTheSumWrittenDown) {
  struct Size {
    int h, w;
  };
  int cases = 0;
  for (const Size in : {Size{1, 1}, Size{2, 2}, Size{3, 7}, Size{8, 5}})
    for (int kernel : {1, 3, 5})
      for (int stride : {1, 2, 3})
        for (int dilation : {1, 2})
          for (auto mode : {graph::PaddingMode::same, graph::PaddingMode::valid})
            for (int channels : {1, 8, 19}) {
              const auto window = ops::resolve_window(in.h, in.w, kernel, kernel + (channels == 19), stride, stride + (channels == 8), dilation, dilation, {mode, 0, 0, 0, 0});
              if (window.out_h < 1 || window.out_w < 1) continue;
              for (int pictures : {1, 35}) {
                const auto x = draw(int64_t{pictures} * in.h * in.w * channels, 1), dy = draw(int64_t{pictures} * window.out_h * window.out_w * channels, 2);
                const auto expected = written_down(x, dy, pictures, channels, window);
                std::vector<float> got(expected.size(), 77.0f), again(expected.size(), -1.0f);
                depthwise_weight_gradient(x.data(), dy.data(), pictures, channels, window, got.data(), kAtOnce);
                depthwise_weight_gradient(x.data(), dy.data(), pictures, channels, window, again.data(), kBackwards);
                ASSERT_EQ(got, again);
                for (size_t i = 0; i < got.size(); ++i)
                  ASSERT_NEAR(got[i], expected[i], 1e-4) << in.h << "x" << in.w << " kernel " << kernel << " stride " << stride << " channels " << channels;
                ++cases;
              }
            }
  EXPECT_GT(cases, 300);
}

Batch make_batch(const graph::Graph& graph, int n, int classes, float tint) {
  Tensor input(DType::f32, graph.value(graph.inputs[0]).shape.with_dim(0, n));
  const auto values = draw(input.shape().elements(), 3), tints = draw(n * input.shape().back(), 11);
  const size_t colours = static_cast<size_t>(input.shape().back()), each = values.size() / static_cast<size_t>(n);
  for (size_t i = 0; i < values.size(); ++i) input.mutable_data<float>()[i] = 0.5f * values[i] + tint * tints[i / each * colours + i % colours];
  return cycling_batch(std::move(input), classes);
}

struct Difference {
  double loss = 0, gradients = 0, statistics = 0;  ///< of the gradients the norm of the difference over the norm
};
Difference after_a_step(Network& own, const Batch& a, Network& plain, const Batch& b) {
  Difference d;
  d.loss = std::fabs(own.train_step(a).loss - plain.train_step(b).loss);
  const auto &p = own.parameters(), &q = plain.parameters();
  double squares = 0, size = 0;
  for (size_t i = 0; i < p.gradients.size(); ++i) {
    squares += std::pow(double(p.gradients[i]) - q.gradients[i], 2);
    size += std::pow(double(q.gradients[i]), 2);
  }
  EXPECT_GT(size, 0);
  d.gradients = std::sqrt(squares / size);
  for (size_t i = 0; i < p.statistics.size(); ++i) d.statistics = std::max(d.statistics, std::fabs(double(p.statistics[i]) - q.statistics[i]));
  return d;
}

/// A depthwise convolution and a norm with what may stand between norm and activation, then a classifier.
TEST(OwnKernels, OneLayerTrainsAsWithTorch) {
  using graph::OpKind;
  for (OpKind activation : {OpKind::Relu, OpKind::Relu6, OpKind::Add, OpKind::HardSwish})
    for (auto pad : {graph::PaddingMode::same, graph::PaddingMode::valid})
      for (int channels : {3, 24}) {
        ops::GraphBuilder b;
        const auto constant = [&](const std::string& name, Shape shape, uint64_t item, float centre, float width) {
          Tensor tensor(DType::f32, shape);
          const auto values = draw(shape.elements(), item);
          for (size_t i = 0; i < values.size(); ++i) tensor.mutable_data<float>()[i] = centre + width * values[i];
          return b.constant(name, std::move(tensor), name[0] != 'r');
        };
        const auto x = b.input("x", Shape{1, 8, 6, channels});
        graph::DepthwiseConv2dAttrs depthwise;
        depthwise.stride_h = depthwise.stride_w = 2;
        depthwise.padding.mode = pad;
        const auto w = constant("w", Shape{1, 3, 3, channels}, 4, 0, 1), bias = constant("bias", Shape{channels}, 5, 3, 1);
        auto y = b.node(OpKind::DepthwiseConv2d, depthwise, {x, w, bias}, "conv");
        const auto gamma = constant("gamma", Shape{channels}, 6, 2.0f, 0.5f), beta = constant("beta", Shape{channels}, 7, 0.5f, 1);
        const auto mean = constant("running_mean", Shape{channels}, 8, 0, 1), variance = constant("running_var", Shape{channels}, 9, 2, 1);
        const auto norm = b.node(OpKind::BatchNorm, graph::BatchNormAttrs{}, {y, gamma, beta, mean, variance}, "norm");
        // An Add reads the norm twice: nothing may be joined there.
        y = activation == OpKind::Add         ? b.node(OpKind::Add, graph::ActivationAttrs{}, {norm, b.node(OpKind::Relu, graph::NoAttrs{}, {norm}, "relu")}, "sum")
            : activation == OpKind::HardSwish ? b.node(activation, graph::NoAttrs{}, {norm}, "act")
                                              : b.node(activation, graph::NoAttrs{}, {norm}, "act");
        const Shape& out = b.graph().value(y).shape;
        const auto dense = constant("dense", Shape{4, out.elements()}, 10, 0, 0.3f);
        b.output(b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {y, dense}, "logits"));
        const auto graph = b.finish();
        Network own(graph), plain(graph, Network::Kernels::torch);
        const Batch batch = make_batch(graph, 200, 4, 2);
        const auto d = after_a_step(own, batch, plain, batch);
        EXPECT_LE(d.loss, 1e-5) << int(activation);
        EXPECT_LE(d.gradients, 1e-5) << int(activation);
        EXPECT_LE(d.statistics, 1e-5) << int(activation);
        own.parameters().statistics = plain.parameters().statistics;
        EXPECT_TRUE(own.logits(batch.input) == plain.logits(batch.input));
      }
}

/// torch's own BatchNorm is ten times further from exact arithmetic than ours, and what the two differ by grows from norm to norm.
TEST(OwnKernels, NetsTrainAsWithTorch) {
  for (const char* spec : {"mobilenet_v2@0.35,64x64x3,4", "mobilenet_v1@0.25,68x68x3,4", "mnasnet_b1@0.5,68x68x3,4"}) {
    const auto graph = zoo::build(spec, 5).graph;
    const Batch batch = make_batch(graph, 32, 4, 0);
    Network own(graph), plain(graph, Network::Kernels::torch);
    const auto d = after_a_step(own, batch, plain, batch);
    EXPECT_LE(d.loss, 2e-5) << spec;
    EXPECT_LE(d.gradients, 5e-2) << spec;
    EXPECT_LE(d.statistics, 1e-4) << spec;
  }
}

TEST(OwnKernels, ANanPassesOnWhereTheActivationIsOpen) {
  const std::vector<float> x{1, 2, 3, 4}, y{0, 1, 1, 0}, centre{0, 0}, one{1, 1}, zero{0, 0};
  const std::vector<float> dy{NAN, 1, 1, NAN};
  for (auto activation : {graph::Activation::none, graph::Activation::relu}) {
    const bool open = activation == graph::Activation::none;
    const MaskedGradient d{{dy.data(), 2, 2}, y.data(), activation};
    const auto sums = sum_scaled_gradient(d, {x.data(), 2, 2}, centre, kAtOnce);
    std::vector<float> dx(4);
    scale_gradient(d, {x.data(), 2, 2}, one, zero, zero, dx.data(), kAtOnce);
    for (int c = 0; c < 2; ++c) EXPECT_EQ(std::isnan(sums.gradient[size_t(c)]) && std::isnan(sums.product[size_t(c)]), open);
    EXPECT_EQ(std::isnan(dx[0]) && std::isnan(dx[3]), open);
    EXPECT_EQ(dx[1], 1);
    EXPECT_EQ(dx[2], 1);
  }
}

TEST(OwnKernels, MomentsAreExactFarFromZero) {
  for (int64_t rows : {1, 127, 128, 5000})
    for (int columns : {1, 19}) {
      auto x = draw(rows * columns, 12);
      for (float& value : x) value += 50;
      const auto got = pixel_moments({x.data(), rows, columns}, kAtOnce), again = pixel_moments({x.data(), rows, columns}, kBackwards);
      EXPECT_EQ(got.mean, again.mean);
      EXPECT_EQ(got.variance, again.variance);
      for (int c = 0; c < columns; ++c) {
        double mean = 0, variance = 0;
        for (int64_t r = 0; r < rows; ++r) mean += x[size_t(r * columns + c)] / double(rows);
        for (int64_t r = 0; r < rows; ++r) variance += std::pow(x[size_t(r * columns + c)] - mean, 2) / double(rows);
        EXPECT_NEAR(got.mean[size_t(c)], mean, 1e-7);
        EXPECT_NEAR(got.variance[size_t(c)], variance, 1e-6);
      }
    }
}

}  // namespace
}  // namespace kinglet::train
