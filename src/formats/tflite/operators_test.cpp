// Operators of the file that take their attributes from operands, options and masks: what each becomes.
#include "formats/tflite/operators.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/tflite/tflite.h"
#include "graph/print.h"
#include "ops/builder.h"
#include "passes/passes.h"
#include "random_graph.h"
#include "reference/interpreter.h"

namespace kinglet::formats::tflite {
namespace {

using graph::OpKind;
using fb::BuiltinOperator;
using flatbuffers::FlatBufferBuilder;

/// One operator that reads float x and int32 constants and makes `outputs`.
struct OneOperator {
  std::vector<int32_t> x{1, 4, 6, 3};
  std::vector<std::vector<int32_t>> constants;
  std::vector<std::vector<int32_t>> outputs;
  BuiltinOperator code;
  bool constants_first = false;  ///< SPLIT names its axis before x
  bool any_batch = false;        ///< the shape signatures open with -1

  template <class Table>
  std::vector<std::byte> build(FlatBufferBuilder& b, flatbuffers::Offset<Table> options, int unused_codes = 0) const {
    std::vector buffers{fb::CreateBuffer(b)};
    std::vector<flatbuffers::Offset<fb::Tensor>> tensors;
    std::vector<int32_t> inputs, results, graph_inputs{0};
    const auto add = [&](const std::vector<int32_t>& shape, fb::TensorType type, uint32_t buffer, const std::string& name) {
      std::vector<int32_t> signature = shape;
      if (any_batch && buffer == 0) signature[0] = -1;
      tensors.push_back(fb::CreateTensorDirect(b, &shape, type, buffer, name.c_str(), 0, false, 0, any_batch ? &signature : nullptr));
      return static_cast<int32_t>(tensors.size()) - 1;
    };
    inputs.push_back(add(x, fb::TensorType::FLOAT32, 0, "x"));
    for (const auto& list : constants) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(list.data());
      buffers.push_back(fb::CreateBuffer(b, b.CreateVector(bytes, 4 * list.size())));
      inputs.push_back(add({static_cast<int32_t>(list.size())}, fb::TensorType::INT32, static_cast<uint32_t>(buffers.size()) - 1, "c"));
    }
    if (constants_first) std::rotate(inputs.begin(), inputs.begin() + 1, inputs.end());
    const auto type = code == BuiltinOperator::ARG_MAX ? fb::TensorType::INT64 : fb::TensorType::FLOAT32;
    for (const auto& shape : outputs) results.push_back(add(shape, type, 0, "y" + std::to_string(results.size())));
    std::vector<flatbuffers::Offset<fb::OperatorCode>> codes;
    for (int i = 0; i < unused_codes; ++i) codes.push_back(fb::CreateOperatorCode(b, 127, 0, 1, BuiltinOperator::RIGHT_SHIFT));
    codes.push_back(fb::CreateOperatorCode(b, static_cast<int8_t>(code), 0, 1, code));
    const std::vector operators{fb::CreateOperatorDirect(b, static_cast<uint32_t>(unused_codes), &inputs, &results, fb::BuiltinOptionsTraits<Table>::enum_value, options.Union())};
    const std::vector graphs{fb::CreateSubGraphDirect(b, &tensors, &graph_inputs, &results, &operators, "main")};
    fb::FinishModelBuffer(b, fb::CreateModelDirect(b, 3, &codes, &graphs, "test", &buffers));
    const auto bytes = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
    return {bytes.begin(), bytes.end()};
  }
};

std::string text_of(std::span<const std::byte> bytes) { return graph::to_text(import_model(bytes, "m.tflite").graph); }

TEST(TfliteOperators, SplitBecomesOneSliceAnOutput) {
  FlatBufferBuilder b;
  const auto bytes = OneOperator{.constants = {{-2}}, .outputs = {{1, 4, 3, 3}, {1, 4, 3, 3}}, .code = BuiltinOperator::SPLIT, .constants_first = true}.build(b, fb::CreateSplitOptions(b, 2), 2);
  const auto model = import_model(bytes, "m.tflite");
  ASSERT_EQ(model.graph.node_count(), 2);
  EXPECT_EQ(model.graph.node(0).as<graph::StridedSliceAttrs>(), (graph::StridedSliceAttrs{{0, 0, 0, 0}, {1, 4, 3, 3}, {1, 1, 1, 1}, {}}));
  EXPECT_EQ(model.graph.node(1).as<graph::StridedSliceAttrs>(), (graph::StridedSliceAttrs{{0, 0, 3, 0}, {1, 4, 6, 3}, {1, 1, 1, 1}, {}}));
  EXPECT_EQ(model.graph.outputs.size(), 2u);
  EXPECT_EQ(model.graph.node(1).origin, "m.tflite: operator 0 (SPLIT)");
}

TEST(TfliteOperators, SplitThatDoesNotGoUpIsAnError) {
  FlatBufferBuilder b;
  const auto bytes = OneOperator{.constants = {{3}}, .outputs = {{1, 4, 6, 1}, {1, 4, 6, 1}}, .code = BuiltinOperator::SPLIT, .constants_first = true}.build(b, fb::CreateSplitOptions(b, 2));
  EXPECT_THROW(import_model(bytes, "m.tflite"), Error);
}

TEST(TfliteOperators, StridedSliceAppliesItsMasks) {
  FlatBufferBuilder b;
  // x[:, -3:, 5:1000:2, 1] of 1x4x6x3
  const auto bytes = OneOperator{.constants = {{0, -3, 5, 1}, {0, 0, 1000, 0}, {1, 1, 2, 1}}, .outputs = {{1, 3, 1}}, .code = BuiltinOperator::STRIDED_SLICE}.build(
      b, fb::CreateStridedSliceOptions(b, 1, 3, 0, 0, 8));
  const auto model = import_model(bytes, "m.tflite");
  ASSERT_EQ(model.graph.node(0).op, OpKind::StridedSlice);
  EXPECT_EQ(model.graph.node(0).as<graph::StridedSliceAttrs>(), (graph::StridedSliceAttrs{{0, 1, 5, 1}, {1, 4, 6, 2}, {1, 1, 2, 1}, {3}}));
}

TEST(TfliteOperators, SlicesThatNoKernelRunsStayOpaque) {
  for (const auto& [begin, stride, masks] : {std::tuple{0, -1, 0}, {5, 1, 0}, {0, 1, 4}}) {
    FlatBufferBuilder b;
    const auto bytes = OneOperator{.constants = {{0, begin}, {1, 4}, {1, stride}}, .outputs = {{1, 4, 6, 3}}, .code = BuiltinOperator::STRIDED_SLICE}.build(
        b, fb::CreateStridedSliceOptions(b, 0, 0, masks, 0, 0));
    EXPECT_EQ(import_model(bytes, "m.tflite").graph.node(0).op, OpKind::Opaque) << begin << " " << stride << " " << masks;
  }
}

TEST(TfliteOperators, TheRest) {
  FlatBufferBuilder a, b, c, d;
  const auto transpose = OneOperator{.constants = {{0, 3, 1, 2}}, .outputs = {{1, 3, 4, 6}}, .code = BuiltinOperator::TRANSPOSE}.build(a, fb::CreateTransposeOptions(a));
  EXPECT_NE(text_of(transpose).find("transpose(%x) perm=[0,3,1,2]"), std::string::npos) << text_of(transpose);
  const auto resize = OneOperator{.constants = {{8, 12}}, .outputs = {{1, 8, 12, 3}}, .code = BuiltinOperator::RESIZE_NEAREST_NEIGHBOR}.build(b, fb::CreateResizeNearestNeighborOptions(b, false, true));
  EXPECT_NE(text_of(resize).find("resize_nearest(%x) out_h=8 out_w=12 half_pixel=true"), std::string::npos) << text_of(resize);
  const auto largest = OneOperator{.constants = {{-1}}, .outputs = {{1, 4, 6}}, .code = BuiltinOperator::ARG_MAX}.build(c, fb::CreateArgMaxOptions(c, fb::TensorType::INT64));
  EXPECT_NE(text_of(largest).find("int64 = arg_max(%x) axis=3 wide=true"), std::string::npos) << text_of(largest);
  const auto batch = OneOperator{.constants = {{1, 0, 2, 3}}, .outputs = {{4, 1, 6, 3}}, .code = BuiltinOperator::TRANSPOSE}.build(d, fb::CreateTransposeOptions(d));
  EXPECT_NE(text_of(batch).find("opaque"), std::string::npos);
}

TEST(TfliteOperators, AnyBatchInTheSignaturesAndBytesBehindTheFileAreTaken) {
  FlatBufferBuilder b;
  auto bytes = OneOperator{.constants = {{0, 3, 1, 2}}, .outputs = {{1, 3, 4, 6}}, .code = BuiltinOperator::TRANSPOSE, .any_batch = true}.build(b, fb::CreateTransposeOptions(b));
  const std::string plain = text_of(bytes);
  EXPECT_NE(plain.find("input %x: Nx4x6x3 float32"), std::string::npos) << plain;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<std::byte>(i * 7));
  std::vector<std::string> warnings;
  EXPECT_EQ(graph::to_text(import_model(bytes, "m.tflite", [&](const std::string& text) { warnings.push_back(text); }).graph), plain);
  EXPECT_EQ(warnings, std::vector<std::string>{});
}

/// x 1x4x6x3 -> RESHAPE -> y -> RELU -> z, float. Without a constant the operand is what SHAPE and PACK compute, as TensorFlow's converter writes a Keras Reshape.
struct ReshapeFile {
  std::vector<int32_t> declared{1, 72}, signature{}, constant{}, option{};

  std::vector<std::byte> build() const {
    FlatBufferBuilder b;
    std::vector buffers{fb::CreateBuffer(b)};
    if (!constant.empty()) buffers.push_back(fb::CreateBuffer(b, b.CreateVector(reinterpret_cast<const uint8_t*>(constant.data()), 4 * constant.size())));
    std::vector<flatbuffers::Offset<fb::Tensor>> tensors;
    const auto add = [&](const std::vector<int32_t>& shape, fb::TensorType type, const char* name, uint32_t buffer = 0) {
      const bool open = !signature.empty() && shape == declared;
      tensors.push_back(fb::CreateTensorDirect(b, &shape, type, buffer, name, 0, false, 0, open ? &signature : nullptr));
    };
    add({1, 4, 6, 3}, fb::TensorType::FLOAT32, "x");
    add({4}, fb::TensorType::INT32, "sizes");
    add({static_cast<int32_t>(constant.empty() ? declared.size() : constant.size())}, fb::TensorType::INT32, "asked", constant.empty() ? 0 : 1);
    add(declared, fb::TensorType::FLOAT32, "y");
    add(declared, fb::TensorType::FLOAT32, "z");
    std::vector<flatbuffers::Offset<fb::OperatorCode>> codes;
    for (auto code : {BuiltinOperator::SHAPE, BuiltinOperator::PACK, BuiltinOperator::RESHAPE, BuiltinOperator::RELU})
      codes.push_back(fb::CreateOperatorCode(b, static_cast<int8_t>(code), 0, 1, code));
    std::vector<flatbuffers::Offset<fb::Operator>> operators;
    const auto run = [&](uint32_t code, const std::vector<int32_t>& inputs, const std::vector<int32_t>& outputs) {
      const auto options = fb::CreateReshapeOptionsDirect(b, option.empty() ? nullptr : &option);
      operators.push_back(code == 2 ? fb::CreateOperatorDirect(b, code, &inputs, &outputs, fb::BuiltinOptions::ReshapeOptions, options.Union()) : fb::CreateOperatorDirect(b, code, &inputs, &outputs));
    };
    if (constant.empty()) run(0, {0}, {1}), run(1, {1}, {2});
    run(2, {0, 2}, {3});
    run(3, {3}, {4});
    const std::vector<int32_t> inputs{0}, outputs{4};
    const std::vector graphs{fb::CreateSubGraphDirect(b, &tensors, &inputs, &outputs, &operators, "main")};
    fb::FinishModelBuffer(b, fb::CreateModelDirect(b, 3, &codes, &graphs, "test", &buffers));
    const auto bytes = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
    return {bytes.begin(), bytes.end()};
  }
  graph::Graph import() const { return import_model(build(), "m.tflite").graph; }
  Shape made() const {
    const auto graph = import();
    EXPECT_EQ(graph.node_count(), 2) << graph::to_text(graph);
    EXPECT_EQ(graph.node(0).op, OpKind::Reshape);
    return graph.value(graph.outputs[0]).shape;
  }
};

TEST(TfliteReshape, WhatComputedItsShapeIsDropped) { EXPECT_EQ(ReshapeFile{}.made(), (Shape{1, 72})); }

TEST(TfliteReshape, APlaceholderForItsShapeIsSeenThrough) {
  EXPECT_EQ((ReshapeFile{.declared = {1, 1}, .signature = {-1, -1}}.made()), (Shape{1, 72}));
  EXPECT_EQ((ReshapeFile{.declared = {1, 1, 3}, .signature = {-1, -1, 3}}.made()), (Shape{1, 24, 3}));
  EXPECT_EQ((ReshapeFile{.declared = {1, 1, 1}, .signature = {-1, -1, -1}, .constant = {1, -1, 9}}.made()), (Shape{1, 8, 9}));
  EXPECT_EQ((ReshapeFile{.declared = {1, 1, 1}, .signature = {-1, -1, -1}, .constant = {-1, 12, 6}}.made()), (Shape{1, 12, 6}));
  EXPECT_EQ((ReshapeFile{.declared = {1, 1, 1}, .signature = {-1, -1, -1}, .option = {1, 36, 2}}.made()), (Shape{1, 36, 2}));
}

TEST(TfliteReshape, AnUnknownShapeStaysOpaqueAndSaysWhy) {
  const auto reason = [](const ReshapeFile& file) {
    const auto graph = file.import();
    for (const auto& node : graph.nodes())
      if (node.op == OpKind::Opaque && node.as<graph::OpaqueAttrs>().name == "RESHAPE") return node.as<graph::OpaqueAttrs>().detail;
    return std::string("none");
  };
  EXPECT_EQ(reason({.declared = {1, 1, 1}, .signature = {-1, -1, -1}}), "a reshape of Nx4x6x3 to Nx1x1, which does not fit");
  EXPECT_EQ(reason({.declared = {1, 5}, .constant = {1, 5}}), "a reshape of Nx4x6x3 to Nx5, which does not fit");
  EXPECT_EQ(reason({.declared = {1, 3}, .signature = {-1, 3}, .constant = {-1, 3}}), "a reshape that mixes the batch");
}

TEST(TfliteRoundTrip, OperatorsThatMoveValues) {
  ops::GraphBuilder b;
  const auto quant = graph::QuantParams::per_tensor(0.05f, 3);
  const auto x = b.input("x", Shape{1, 4, 6, 3}, DType::s8, quant);
  const auto add = [&](OpKind op, graph::Attrs attrs, std::vector<graph::ValueId> inputs, graph::QuantParams q) { return b.node(op, std::move(attrs), std::move(inputs), "y", std::move(q)); };
  auto y = add(OpKind::Transpose, graph::TransposeAttrs{{0, 2, 1, 3}}, {x}, quant);
  y = add(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 1, 0, 0}, {1, 6, 4, 3}, {1, 2, 1, 1}, {}}, {y}, quant);
  y = add(OpKind::ResizeNearest, graph::ResizeNearestAttrs{5, 5, true, false}, {y}, quant);
  y = add(OpKind::Concatenation, graph::ConcatenationAttrs{3}, {y, y}, quant);
  y = add(OpKind::HardSwish, graph::NoAttrs{}, {y}, graph::QuantParams::per_tensor(0.04f, -7));
  y = add(OpKind::StridedSlice, graph::StridedSliceAttrs{{0, 4, 0, 0}, {1, 5, 5, 6}, {1, 1, 1, 1}, {1}}, {y}, graph::QuantParams::per_tensor(0.04f, -7));
  b.output(add(OpKind::ArgMax, graph::ArgMaxAttrs{2, false}, {y}, {}));
  graph::Model model;
  model.graph = b.finish();
  const auto back = import_model(export_model(model), "m");
  EXPECT_EQ(graph::to_text(back.graph), graph::to_text(model.graph));
  Tensor input(DType::s8, Shape{1, 4, 6, 3});
  for (size_t i = 0; i < 72; ++i) input.mutable_data<int8_t>()[i] = static_cast<int8_t>(i * 37);
  EXPECT_EQ(reference::run(model.graph, std::span(&input, 1))[0], reference::run(back.graph, std::span(&input, 1))[0]);
}

TEST(TfliteRoundTrip, OlderUint8ModelsAreWrittenAsTheyWere) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    auto model = import_model(export_model(golden::random_model(seed, DType::u8)), "m");
    EXPECT_EQ(model.graph.value(model.graph.inputs[0]).dtype, DType::u8);
    const std::string before = graph::to_text(model.graph);
    passes::PassLog log;
    passes::convert_legacy_uint8(model.graph, log);
    EXPECT_GT(log.changes, 5);
    EXPECT_EQ(before.find("legacy"), std::string::npos);
    EXPECT_NE(graph::to_text(model.graph).find("rule=legacy_u8"), std::string::npos);
    EXPECT_EQ(graph::to_text(import_model(export_model(model), "m").graph), before) << "seed " << seed;
  }
}

TEST(TfliteExport, RefusesInt8OperatorsOnValuesOfAnOlderModel) {
  auto model = golden::random_model(1, DType::u8);
  model.graph.node(2).rule = graph::NodeRule::model;
  try {
    export_model(model);
    FAIL() << "was written";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("works in int8 on values of an older uint8 model"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace kinglet::formats::tflite
