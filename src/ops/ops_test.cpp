#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/print.h"
#include "ops/builder.h"
#include "ops/cost.h"
#include "ops/geometry.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::ops {
namespace {

using graph::OpKind;
using graph::PaddingMode;

TEST(Geometry, SameIsAsymmetricForStrideTwo) {
  const Window w = resolve_window(32, 32, 3, 3, 2, 2, 1, 1, {PaddingMode::same});
  EXPECT_EQ(w.out_h, 16);
  EXPECT_EQ(w.pad_top, 0);
  EXPECT_EQ(w.pad_bottom, 1);
  const Window explicit_one = resolve_window(32, 32, 3, 3, 2, 2, 1, 1, {PaddingMode::explicit_, 1, 1, 1, 1});
  EXPECT_EQ(explicit_one.out_h, 16);
  EXPECT_EQ(explicit_one.pad_top, 1);
  EXPECT_EQ(resolve_window(7, 7, 3, 3, 2, 2, 1, 1, {PaddingMode::valid}).out_h, 3);
  EXPECT_EQ(resolve_window(5, 5, 3, 3, 1, 1, 2, 2, {PaddingMode::valid}).out_h, 1);
  EXPECT_EQ(resolve_window(2, 2, 3, 3, 1, 1, 1, 1, {PaddingMode::valid}).out_h, 0);
}

/// conv 3->8 s2, depthwise x2, pool, fully connected, softmax.
graph::Graph small_net() {
  GraphBuilder b;
  auto x = b.input("x", {1, 9, 9, 3});
  auto w = b.constant("w", Tensor(DType::f32, {8, 3, 3, 3}), true);
  auto bias = b.constant("b", Tensor(DType::f32, {8}), true);
  graph::Conv2dAttrs conv;
  conv.stride_h = conv.stride_w = 2;
  conv.padding.mode = PaddingMode::same;
  auto y = b.node(OpKind::Conv2d, conv, {x, w, bias}, "conv");
  graph::DepthwiseConv2dAttrs dw;
  dw.multiplier = 2;
  y = b.node(OpKind::DepthwiseConv2d, dw, {y, b.constant("dw", Tensor(DType::f32, {1, 3, 3, 16}), true)}, "depthwise");
  y = b.node(OpKind::AveragePool2d, graph::Pool2dAttrs{.kernel_h = 3, .kernel_w = 3}, {y}, "pool");
  y = b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {y, b.constant("fc.weight", Tensor(DType::f32, {4, 16}), true)}, "fc");
  b.output(b.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {y}, "softmax"));
  return b.finish();
}

std::string refusal(OpKind op, graph::Attrs attrs, Shape shape = {1, 4, 6, 3}) {
  GraphBuilder b;
  try {
    b.node(op, std::move(attrs), {b.input("x", shape)}, "y");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Shape shape_of(OpKind op, graph::Attrs attrs, Shape shape = {1, 4, 6, 3}) {
  GraphBuilder b;
  return b.value(b.node(op, std::move(attrs), {b.input("x", shape)}, "y")).shape;
}

TEST(Shapes, OfOperatorsThatMoveValues) {
  EXPECT_EQ(shape_of(OpKind::Transpose, graph::TransposeAttrs{{0, 3, 1, 2}}), (Shape{1, 3, 4, 6}));
  EXPECT_EQ(shape_of(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 1, 0, 2}, {1, 4, 6, 3}, {1, 2, 4, 1}, {3}}), (Shape{1, 2, 2}));
  EXPECT_EQ(shape_of(OpKind::ResizeNearest, graph::ResizeNearestAttrs{7, 2, false, false}), (Shape{1, 7, 2, 3}));
  EXPECT_EQ(shape_of(OpKind::ArgMax, graph::ArgMaxAttrs{3, true}), (Shape{1, 4, 6}));
  EXPECT_EQ(shape_of(OpKind::Concatenation, graph::ConcatenationAttrs{2}), (Shape{1, 4, 6, 3}));
}

TEST(Shapes, ImpossibleMovesAreRefusedInWords) {
  EXPECT_NE(refusal(OpKind::Transpose, graph::TransposeAttrs{{1, 0, 2, 3}}).find("moves the batch"), std::string::npos);
  EXPECT_NE(refusal(OpKind::Transpose, graph::TransposeAttrs{{0, 1, 1, 3}}).find("no order of the axes"), std::string::npos);
  EXPECT_NE(refusal(OpKind::Transpose, graph::TransposeAttrs{{0, 1000000, 1, 2}}).find("no order of the axes"), std::string::npos);
  EXPECT_NE(refusal(OpKind::Transpose, graph::TransposeAttrs{{0, 1}}).find("orders 2 axes"), std::string::npos);
  EXPECT_EQ(shape_of(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 1, 0, 0}, {1, 4, 6, 3}, {1, 2147483647, 1, 1}, {}}), (Shape{1, 1, 6, 3}));
  EXPECT_NE(refusal(OpKind::Concatenation, graph::ConcatenationAttrs{0}).find("along axis 0"), std::string::npos);
  EXPECT_NE(refusal(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 4, 0, 0}, {1, 5, 6, 3}, {1, 1, 1, 1}, {}}).find("axis 1, which has 4"), std::string::npos);
  EXPECT_NE(refusal(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 0, 0, 0}, {1, 4, 6, 3}, {1, 1, 1, 1}, {2}}).find("drops axis 2"), std::string::npos);
  EXPECT_NE(refusal(OpKind::ResizeNearest, graph::ResizeNearestAttrs{0, 2, false, false}).find("a side of 0"), std::string::npos);
  EXPECT_NE(refusal(OpKind::ArgMax, graph::ArgMaxAttrs{4, false}).find("along axis 4"), std::string::npos);
}

TEST(Geometry, NearestSourcesAsTensorFlowLite) {
  EXPECT_EQ(nearest_sources(4, 8, false, false), (std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(nearest_sources(8, 3, false, false), (std::vector<int32_t>{0, 2, 5}));
  EXPECT_EQ(nearest_sources(8, 3, false, true), (std::vector<int32_t>{1, 4, 6}));
  EXPECT_EQ(nearest_sources(8, 3, true, false), (std::vector<int32_t>{0, 4, 7}));
  EXPECT_EQ(nearest_sources(5, 1, true, false), (std::vector<int32_t>{0}));
}

TEST(Cost, CountsByHand) {
  const Cost c = cost(small_net());
  EXPECT_EQ(c.params, 8 * 27 + 8 + 9 * 16 + 4 * 16);
  EXPECT_EQ(c.macs, 25 * 8 * 27 + 9 * 9 * 16 + 4 * 16);
  EXPECT_EQ(c.peak_activation_bytes, (9 * 9 * 3 + 5 * 5 * 8) * 4);
}

TEST(Builder, TypesAreInferred) {
  const std::string text = graph::to_text(small_net());
  EXPECT_NE(text.find("%conv: Nx5x5x8 float32 = conv2d(%x, %w, %b) stride_h=2 stride_w=2 padding=same"), std::string::npos) << text;
  EXPECT_NE(text.find("%depthwise: Nx3x3x16 float32"), std::string::npos);
  EXPECT_NE(text.find("%softmax: Nx4 float32 = softmax(%fc)"), std::string::npos);
}

TEST(Verify, WrongStoredTypeIsNamed) {
  auto g = small_net();
  g.value(g.outputs[0]).shape = {1, 5};
  EXPECT_THROW(verify(g, "m"), Error);
  infer_types(g);
  EXPECT_NO_THROW(verify(g, "m"));
}

TEST(Rules, RefuseInWords) {
  auto expect = [](auto&& build, const std::string& words) {
    GraphBuilder b;
    auto x = b.input("x", {1, 4, 4, 3});
    try {
      build(b, x);
      FAIL() << "accepted: " << words;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  expect([](auto& b, auto x) { b.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, b.constant("w", Tensor(DType::f32, {8, 1, 1, 1}))}, "c"); }, "grouped");
  expect([](auto& b, auto x) { b.node(OpKind::Conv2d, graph::Conv2dAttrs{}, {x, b.constant("w", Tensor(DType::f32, {8, 5, 5, 3}))}, "c"); }, "larger than");
  expect([](auto& b, auto x) { b.node(OpKind::Reshape, graph::ReshapeAttrs{{49}}, {x}, "r"); }, "cannot reshape Nx4x4x3 to Nx49");
  expect([](auto& b, auto x) { b.node(OpKind::Mean, graph::MeanAttrs{{0, 1}}, {x}, "m"); }, "pictures of a batch");
  expect([](auto& b, auto x) { b.node(OpKind::Add, graph::ActivationAttrs{}, {x, b.constant("k", Tensor(DType::f32, {5}))}, "a"); }, "cannot combine");
  expect([](auto& b, auto x) { b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, b.constant("w", Tensor(DType::f32, {2, 7}))}, "f"); }, "weights for 7 inputs where 48");
}

}  // namespace
}  // namespace kinglet::ops
