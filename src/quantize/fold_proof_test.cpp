#include "quantize/fold_proof.h"

#include <gtest/gtest.h>

#include "passes/pipeline.h"
#include "passes/test_net.h"

namespace kinglet::quantize {

using passes::TestNet;

namespace {

constexpr graph::Padding kOne{graph::PaddingMode::explicit_, 1, 1, 1, 1};

/// SYSTEMS.md part A's block on x.
graph::ValueId rep_conv(TestNet& net, graph::ValueId x, int out, int stride, const std::string& name) {
  const auto x0 = net.batch_norm(net.conv(x, out, name, {3, stride, kOne, true}), name + "_bn");
  const auto dense = net.batch_norm(x0, name + "_dense");
  auto y = x0;
  for (int i = 0; i < 6; ++i) {
    const std::string step = name + std::to_string(i);
    const auto sum = net.add(net.batch_norm(net.conv1x1(y, out, step), step + "_bn"), net.batch_norm(y, step + "_id"), step + "_sum");
    y = i > 0 ? net.add(sum, dense, step + "_add") : sum;
  }
  return net.relu(y, name + "_relu");
}

std::vector<Tensor> random_batches(const Shape& shape, int n) {
  std::vector<Tensor> batches;
  for (int i = 0; i < n; ++i) {
    Tensor tensor(DType::f32, shape.with_dim(0, 2));
    RandomStream random(5, 0, static_cast<uint64_t>(i), Purpose::draw);
    for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(random.uniform(-1, 1));
    batches.push_back(std::move(tensor));
  }
  return batches;
}

}  // namespace

TEST(FoldProof, RepBlocksFoldExactlyToTheBorders) {
  TestNet net;
  const auto x = net.input(Shape{1, 9, 8, 3});
  auto y = rep_conv(net, rep_conv(net, x, 4, 2, "a"), 6, 1, "b");
  const graph::Graph before = net.finish(net.dense(y, 3, "fc"));
  graph::Graph after = before;
  passes::fold_for_deployment(after);
  ASSERT_EQ(after.node_count(), 3);
  const FoldProof proof = prove_fold(before, after, random_batches(Shape{1, 9, 8, 3}, 4), 1);
  EXPECT_EQ(proof.n, 8);
  EXPECT_EQ(proof.label_flips, 0);
  // Six doubling steps make large activations: relative to them, float rounding.
  EXPECT_LT(proof.max_output_difference, 2e-2);
}

TEST(FoldProof, MixedBranchesFoldExactly) {
  TestNet net;
  const auto x = net.input(Shape{1, 7, 7, 4});
  const auto wide = net.add(net.batch_norm(net.conv(x, 4, "wide", {3, 1, kOne, true}), "wide_bn"), net.conv1x1(x, 4, "narrow"), "sum0");
  const auto vgg = net.relu(net.add(wide, net.batch_norm(x, "id_bn"), "sum1"), "relu1");
  const auto depthwise = net.add(net.batch_norm(net.depthwise(vgg, "dw"), "dw_bn"), net.batch_norm(vgg, "id2_bn"), "sum2");
  const auto tail = net.conv(net.conv(net.relu(depthwise, "relu2"), 4, "c1", {1, 1, {}, true}), 4, "c2", {3, 2, {}, true});
  const graph::Graph before = net.finish(net.dense(net.mean(tail, "mean"), 3, "fc"));
  graph::Graph after = before;
  passes::fold_for_deployment(after);
  EXPECT_EQ(after.node_count(), 5);  // conv, depthwise, conv, mean, fc
  const FoldProof proof = prove_fold(before, after, random_batches(Shape{1, 7, 7, 4}, 4), 2);
  EXPECT_LT(proof.max_output_difference, 1e-4);
  EXPECT_EQ(proof.label_flips, 0);
}

TEST(FoldProof, SeesADifference) {
  TestNet net;
  const graph::Graph before = net.finish(net.dense(net.input(Shape{1, 4}), 3, "fc"));
  graph::Graph after = before;
  after.value(after.node(0).inputs[2]).constant = Tensor::of<float>(Shape{3}, std::vector<float>{100.0f, 0.0f, 0.0f});
  const FoldProof proof = prove_fold(before, after, random_batches(Shape{1, 4}, 4), 1);
  EXPECT_GT(proof.max_output_difference, 90.0);
  EXPECT_GT(proof.label_flips, 0);
}

}  // namespace kinglet::quantize
