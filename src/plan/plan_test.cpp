#include "plan/plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/random.h"
#include "ops/builder.h"
#include "plan/memory.h"
#include "plan/pack.h"

namespace kinglet::plan {
namespace {

using graph::OpKind;
using graph::ValueId;
using ops::GraphBuilder;

ValueId relu(GraphBuilder& b, ValueId x, const char* name) { return b.node(OpKind::Relu, graph::NoAttrs{}, {x}, name); }

ValueId pool(GraphBuilder& b, ValueId x, int stride, const char* name) {
  return b.node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, stride, stride, {graph::PaddingMode::same}}, {x}, name);
}

std::string message(const graph::Graph& g) {
  try {
    make_plan(g, portable_target());
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

bool overlap(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

TEST(Memory, ThreeBuffersOfAChainNeedTheLargestPair) {
  std::vector<Buffer> buffers{{100, 0, 1, 0}, {50, 1, 2, 0}, {80, 2, 3, 0}};
  const Placement p = place_buffers(buffers, 1);
  EXPECT_EQ(p.lower_bound_bytes, 150);
  EXPECT_EQ(p.arena_bytes, 150);
}

TEST(Memory, RandomBuffersNeverOverlapAndStayNearTheBound) {
  int64_t arena = 0, bound = 0;
  for (uint64_t trial = 0; trial < 200; ++trial) {
    RandomStream random(5, 0, trial, Purpose::draw);
    std::vector<Buffer> buffers;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(random.below(30));
      buffers.push_back({static_cast<int64_t>(random.below(5000)) + 1, first, first + static_cast<int>(random.below(6)), 0});
    }
    const Placement p = place_buffers(buffers, 16);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(buffers[i].offset % 16, 0);
      EXPECT_LE(buffers[i].offset + buffers[i].bytes, p.arena_bytes);
      for (size_t j = i + 1; j < buffers.size(); ++j) EXPECT_FALSE(overlap(buffers[i], buffers[j]));
    }
    EXPECT_GE(p.arena_bytes, p.lower_bound_bytes);
    arena += p.arena_bytes, bound += p.lower_bound_bytes;
  }
  EXPECT_LT(static_cast<double>(arena), 1.10 * static_cast<double>(bound));
}

TEST(Memory, SizesBeyondFourGigabytesAreNotTruncated) {
  constexpr int64_t kFive = int64_t{5} << 30;
  std::vector<Buffer> buffers{{kFive, 0, 1, 0}, {kFive, 1, 2, 0}};
  EXPECT_EQ(place_buffers(buffers, 64).arena_bytes, 2 * kFive);
}

// in -> a (4x4x8, arena) -> b (in place) -> pool -> out: one buffer of 512 bytes, in and out belong to the caller.
TEST(Plan, ElementwiseStepsWorkInPlace) {
  GraphBuilder b;
  ValueId x = pool(b, b.input("x", {1, 4, 4, 8}), 1, "a");
  b.output(pool(b, relu(b, x, "b"), 2, "out"));
  const Plan p = make_plan(b.finish(), portable_target());
  ASSERT_EQ(p.steps.size(), 3u);
  EXPECT_EQ(p.arena_bytes, 4 * 4 * 8 * 4);
  EXPECT_EQ(p.arena_lower_bound_bytes, p.arena_bytes);
  EXPECT_EQ(p.steps[1].operands[0], p.steps[1].operands[1]);
  EXPECT_EQ(p.steps[0].operands[0], (Operand{Operand::Kind::input, 0}));
  EXPECT_EQ(p.steps[2].operands[1], (Operand{Operand::Kind::output, 0}));
}

// a is read again after b, so b must not overwrite it.
TEST(Plan, AValueWithALaterReaderIsNotOverwritten) {
  GraphBuilder b;
  const ValueId a = pool(b, b.input("x", {1, 4, 4, 8}), 1, "a");
  const ValueId r = relu(b, a, "b");
  b.output(pool(b, b.node(OpKind::Add, graph::ActivationAttrs{}, {a, r}, "sum"), 2, "out"));
  const Plan p = make_plan(b.finish(), portable_target());
  EXPECT_NE(p.steps[1].operands[0], p.steps[1].operands[1]);
  EXPECT_EQ(p.arena_bytes, 2 * 512);
}

TEST(Plan, ReshapeMakesNoStepAndAnInputAsOutputIsCopied) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 2, 2, 3});
  b.output(b.node(OpKind::Reshape, graph::ReshapeAttrs{{12}}, {x}, "flat"));
  b.output(x);
  const Plan p = make_plan(b.finish(), portable_target());
  ASSERT_EQ(p.steps.size(), 2u);
  EXPECT_EQ(p.steps[0].kernel, Kernel::copy);
  EXPECT_EQ(p.steps[1].kernel, Kernel::copy);
  EXPECT_EQ(p.outputs[0].shape, (Shape{1, 12}));
  EXPECT_EQ(p.arena_bytes, 0);
}

TEST(Plan, StepsKeepNamesShapesAndMacs) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 8, 8, 3}), w = b.constant("w", Tensor(DType::f32, {5, 3, 3, 3}));
  b.output(b.node(OpKind::Conv2d, graph::Conv2dAttrs{2, 2, 1, 1, {graph::PaddingMode::same}}, {x, w}, "stem"));
  const Plan p = make_plan(b.finish(), portable_target());
  EXPECT_EQ(p.steps[0].node, "stem");
  EXPECT_EQ(p.steps[0].shape, (Shape{1, 4, 4, 5}));
  EXPECT_EQ(p.macs(), 4 * 4 * 5 * 27);
}

TEST(Plan, SharesWeightsWithTheGraphInsteadOfCopying) {
  GraphBuilder b;
  const Tensor weights(DType::f32, {5, 12});
  const ValueId x = b.input("x", {1, 12}), w = b.constant("w", weights);
  b.output(b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, w}, "y"));
  const Plan p = make_plan(b.finish(), portable_target());
  const Step& s = p.steps[0];
  EXPECT_TRUE(p.constants[static_cast<size_t>(s.operands[1].index)].tensor.same_buffer(weights));
}

TEST(Plan, RefusesTrainingOperatorsByName) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 4});
  b.output(b.node(OpKind::Dropout, graph::DropoutAttrs{}, {x}, "drop_7"));
  const std::string dropout = message(b.finish());
  EXPECT_NE(dropout.find("drop_7"), std::string::npos) << dropout;
  EXPECT_NE(dropout.find("remove"), std::string::npos) << dropout;

  GraphBuilder n;
  const ValueId y = n.input("x", {1, 2, 2, 3});
  std::vector<ValueId> in{y};
  for (const char* name : {"gamma", "beta", "mean", "variance"}) in.push_back(n.constant(name, Tensor(DType::f32, {3})));
  n.output(n.node(OpKind::BatchNorm, graph::BatchNormAttrs{}, in, "norm_2"));
  const std::string norm = message(n.finish());
  EXPECT_NE(norm.find("norm_2"), std::string::npos) << norm;
  EXPECT_NE(norm.find("fold"), std::string::npos) << norm;

  GraphBuilder f;
  const ValueId z = f.input("x", {1, 4});
  f.output(f.node(OpKind::FakeQuantize, graph::FakeQuantizeAttrs{{0.1f}, {0}}, {z}, "fake_3"));
  EXPECT_NE(message(f.finish()).find("fake_3"), std::string::npos);
}

TEST(Plan, RefusesAsymmetricWeightsAndUnquantizedIntegers) {
  const auto build = [](int32_t weight_zero, bool quantized) {
    GraphBuilder b;
    const auto q = graph::QuantParams::per_tensor(0.1f, 0);
    const ValueId x = b.input("x", {1, 4, 4, 2}, DType::s8, q);
    const ValueId w = b.constant("w", Tensor(DType::s8, {3, 1, 1, 2}), false, graph::QuantParams::per_tensor(0.1f, weight_zero));
    b.output(b.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, w}, "conv_9", quantized ? q : graph::QuantParams{}));
    return std::move(b.graph());
  };
  EXPECT_EQ(message(build(0, true)), "");
  EXPECT_NE(message(build(5, true)).find("conv_9"), std::string::npos);
  EXPECT_NE(message(build(0, false)), "");
}

TEST(Target, ForcedInstructionSetIsObeyedOrRefused) {
  setenv("KINGLET_FORCE_ISA", "generic", 1);
  EXPECT_EQ(host_target().isa, Isa::generic);
  setenv("KINGLET_FORCE_ISA", "avx3", 1);
  EXPECT_THROW(host_target(), Error);
  unsetenv("KINGLET_FORCE_ISA");
  EXPECT_EQ(host_target().isa, available_isas().back());
}

// Two outputs, one row, one quad and a rest: checked by hand against the layout in pack.h.
TEST(Pack, QuadsOfARowEndInZeros) {
  const Tensor w = Tensor::of<int8_t>({2, 1, 1, 5}, std::vector<int8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const Tensor packed = pack_conv2d_s8_avx512vnni(w);
  ASSERT_EQ(packed.elements(), 2 * 16 * 4);
  const auto p = packed.data<int8_t>();
  const int8_t first[8] = {1, 2, 3, 4, 6, 7, 8, 9};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(p[i], first[i]);
  const int8_t second[8] = {5, 0, 0, 0, 10, 0, 0, 0};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(p[64 + i], second[i]);
}

TEST(Pack, OffsetFoldsIntoTheBias) {
  const Tensor w = Tensor::of<int8_t>({1, 1, 1, 3}, std::vector<int8_t>{1, -2, 4});
  const int32_t bias[1] = {1000};
  EXPECT_EQ(fold_offset_into_bias(bias, w, 0, -28), (std::vector<int32_t>{1000 - 100 * 3}));
  EXPECT_EQ(fold_offset_into_bias(bias, w, 2, -28), (std::vector<int32_t>{1000 - 100 * (3 - 3 * 2)}));  // older uint8 weights
}

}  // namespace
}  // namespace kinglet::plan
