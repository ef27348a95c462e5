#include "formats/onnx/onnx.h"

#include <cmath>
#include <filesystem>

#include "formats/formats.h"
#include "formats/onnx/models_for_test.h"
#include "graph/print.h"

namespace kinglet::formats::onnx {
namespace {

using graph::OpKind;

/// Largest difference of the outputs over `n` random inputs; integers must be equal (a difference counts as 1 and more).
double difference(const graph::Graph& a, const graph::Graph& b, int n = 3) {
  double worst = 0;
  for (int k = 0; k < n; ++k) {
    const auto& in = a.value(a.inputs[0]);
    const Tensor x = random_tensor(in.dtype, in.shape, 100 + static_cast<uint64_t>(k));
    const auto left = reference::run(a, std::span(&x, 1)), right = reference::run(b, std::span(&x, 1));
    EXPECT_EQ(left.size(), right.size());
    for (size_t i = 0; i < left.size(); ++i) {
      EXPECT_EQ(left[i].shape().str(), right[i].shape().str());
      if (left[i].dtype() != DType::f32) worst = std::max(worst, left[i] == right[i] ? 0.0 : 1.0);
      else
        for (size_t j = 0; j < left[i].data<float>().size(); ++j)
          worst = std::max(worst, double{std::abs(left[i].data<float>()[j] - right[i].data<float>()[j])});
    }
  }
  return worst;
}

int count(const graph::Graph& graph, OpKind op) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) { return node.op == op; }));
}

TEST(OnnxRoundTrip, KeepsOutputsLabelsAndContractWithoutATranspose) {
  const auto model = picture_model();
  const auto bytes = export_model(model);
  EXPECT_EQ(count_nodes(bytes, "Transpose"), 0);
  const auto back = import_model(bytes, "m.onnx");
  EXPECT_LE(difference(model.graph, back.graph), 1e-6);
  EXPECT_EQ(back.name, "picture");
  EXPECT_EQ(back.labels, model.labels);
  EXPECT_EQ(graph::input_spec_to_json(back.input).dump(), graph::input_spec_to_json(model.input).dump());
  EXPECT_EQ(count(back.graph, OpKind::Reshape), 1);
  EXPECT_EQ(back.graph.node_count(), model.graph.node_count()) << graph::to_text(back.graph);
  EXPECT_EQ(back.graph.node(0).origin, "m.onnx: node conv (Conv)");
}

TEST(OnnxRoundTrip, OfAnImportedFileGivesTheSameGraph) {
  const auto once = import_model(export_model(picture_model()), "m.onnx");
  const auto twice = import_model(export_model(once), "m.onnx");
  EXPECT_EQ(graph::to_text(twice.graph), graph::to_text(once.graph));
}

TEST(OnnxRoundTrip, KeepsRandomFloatGraphs) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const auto model = golden::random_model(seed, DType::f32);
    EXPECT_LE(difference(model.graph, import_model(export_model(model), "m.onnx").graph), 1e-5) << "seed " << seed;
  }
}

TEST(OnnxRoundTrip, KeepsRandomInt8GraphsToTheBit) {
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    const auto model = golden::random_model(seed, DType::s8);
    const auto back = import_model(export_model(model), "m.onnx");
    EXPECT_EQ(difference(model.graph, back.graph), 0) << "seed " << seed;
    EXPECT_EQ(count(back.graph, OpKind::Dequantize), count(model.graph, OpKind::Dequantize)) << "seed " << seed;
  }
}

TEST(OnnxExport, IsReadInNchw) {
  const File file(export_model(picture_model()), "m.onnx");
  const auto& dims = file.graph().input(0).type().tensor_type().shape().dim();
  ASSERT_EQ(dims.size(), 4);
  EXPECT_EQ(dims[0].dim_param(), "N");
  EXPECT_EQ(dims[1].dim_value(), 3);
  EXPECT_EQ(dims[2].dim_value(), 5);
  EXPECT_EQ(dims[3].dim_value(), 4);
  for (const auto& tensor : file.graph().initializer()) {
    if (tensor.name() == "conv/w") {
      EXPECT_EQ(std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end()), (std::vector<int64_t>{4, 3, 3, 3}));
    }
    if (tensor.name() == "dw/w") {
      EXPECT_EQ(std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end()), (std::vector<int64_t>{4, 1, 3, 3}));
    }
  }
}

TEST(OnnxExport, TransposesOnlyWhereTheOrderOfAPictureIsTheOutput) {
  ops::GraphBuilder b;
  const auto x = b.input("x", Shape{1, 2, 3, 4});
  b.output(b.node(OpKind::Reshape, graph::ReshapeAttrs{{24}}, {x}, "flat"));
  graph::Model model;
  model.graph = b.finish();
  const auto bytes = export_model(model);
  EXPECT_EQ(count_nodes(bytes, "Transpose"), 1);
  const auto back = import_model(bytes, "m.onnx");
  EXPECT_EQ(back.graph.node_count(), 1);
  EXPECT_EQ(difference(model.graph, back.graph), 0);
}

TEST(OnnxExport, ATransposeOfTheModelIsNotSurplus) {
  ops::GraphBuilder b;
  const auto x = b.input("x", Shape{1, 4, 4, 3});
  b.output(b.node(OpKind::Relu, graph::NoAttrs{}, {b.node(OpKind::Transpose, graph::TransposeAttrs{{0, 2, 1, 3}}, {x}, "turn")}, "y"));
  graph::Model model;
  model.graph = b.finish();
  int surplus = -1;
  EXPECT_EQ(count_nodes(export_model(model, &surplus), "Transpose"), 1);
  EXPECT_EQ(surplus, 0);
}

TEST(OnnxExport, EqualModelsGiveEqualBytes) { EXPECT_EQ(export_model(picture_model()), export_model(picture_model())); }

TEST(OnnxImport, PermutesTheColumnsBehindAFlattenToNhwc) {
  TestFile file(13, {1, 2, 1, 2}, {1, 1});
  file.node("Flatten", {"x"}, "f");
  file.counting("w", {4, 1});
  file.counting("b", {1});
  file.node("MatMul", {"f", "w"}, "m");
  file.node("Add", {"m", "b"}, "y");
  const auto model = file.import();
  ASSERT_EQ(model.graph.node_count(), 2);  // Reshape, FullyConnected with the bias
  const auto& node = model.graph.node(1);
  ASSERT_EQ(node.inputs.size(), 3u);
  // The picture is C x H x W = 2 x 1 x 2, weight 2c + w; ours follow w, then c.
  const auto w = model.graph.value(node.inputs[1]).constant->data<float>();
  EXPECT_EQ((std::vector<float>(w.begin(), w.end())), (std::vector<float>{0, 2, 1, 3}));
}

TEST(OnnxImport, DropsTheTransposesOfConvertersFromNhwc) {
  TestFile file(11, {1, 3, 4, 2}, {1, 3, 4, 5});
  TestFile::integers(file.node("Transpose", {"x"}, "t"), "perm", {0, 3, 1, 2});
  file.counting("w", {5, 2, 1, 1});
  file.node("Conv", {"t", "w"}, "c");
  TestFile::integers(file.node("Transpose", {"c"}, "y"), "perm", {0, 2, 3, 1});
  const auto model = file.import();
  ASSERT_EQ(model.graph.node_count(), 1);
  EXPECT_EQ(model.graph.value(model.graph.inputs[0]).shape, (Shape{1, 3, 4, 2}));
  EXPECT_EQ(model.graph.value(model.graph.outputs[0]).shape, (Shape{1, 3, 4, 5}));
}

TEST(OnnxImport, AveragesPaddingZerosWhereTheFileCountsThem) {
  TestFile file(11, {1, 1, 2, 2}, {1, 1, 2, 2});
  auto& pool = file.node("AveragePool", {"x"}, "y");
  TestFile::integers(pool, "kernel_shape", {2, 2});
  TestFile::integers(pool, "strides", {2, 2});
  TestFile::integers(pool, "pads", {1, 1, 1, 1});
  auto* flag = pool.add_attribute();
  flag->set_name("count_include_pad");
  flag->set_i(1);
  const auto model = file.import();
  const Tensor x = Tensor::of<float>(Shape{1, 2, 2, 1}, std::vector<float>{4, 8, 12, 16});
  const auto y = reference::run(model.graph, std::span(&x, 1))[0];
  EXPECT_EQ(y, Tensor::of<float>(Shape{1, 2, 2, 1}, std::vector<float>{1, 2, 3, 4}));
}

TEST(OnnxImport, AnOperatorWeDoNotRunBecomesOpaque) {
  TestFile file(13, {1, 3, 4, 5}, {1, 3, 4, 5});
  file.node("Elu", {"x"}, "y");
  const auto model = file.import();
  EXPECT_EQ(model.graph.node(0).as<graph::OpaqueAttrs>().name, "Elu");
  EXPECT_EQ(model.graph.value(model.graph.outputs[0]).shape, (Shape{1, 4, 5, 3}));
  EXPECT_THROW(export_model(model), Error);
}

TEST(OnnxImport, GroupedConvolutionsStayOpaqueAndSayWhy) {
  TestFile file(13, {1, 4, 2, 2}, {1, 4, 2, 2});
  file.counting("w", {4, 2, 1, 1});
  auto* group = file.node("Conv", {"x", "w"}, "y").add_attribute();
  group->set_name("group");
  group->set_i(2);
  EXPECT_EQ(file.import().graph.node(0).as<graph::OpaqueAttrs>().detail, "group=2 of 4 channels (1 or the channel count only)");
}

TEST(BadOnnx, DataInAnotherFileIsRefusedInWords) {
  TestFile file(13, {1, 2}, {1, 2});
  file.counting("w", {2, 2});
  file.graph.mutable_initializer(0)->clear_float_data();
  file.graph.mutable_initializer(0)->set_data_location(pb::TensorProto::EXTERNAL);
  file.node("MatMul", {"x", "w"}, "y");
  EXPECT_NE(file.message().find("m.onnx: initializer 'w': keeps its data in another file"), std::string::npos) << file.message();
}

TEST(BadOnnx, LyingSizesNamesAndVersionsAreRefusedInWords) {
  auto expect = [](TestFile& file, const char* words) { EXPECT_NE(file.message().find(words), std::string::npos) << file.message(); };
  TestFile few(13, {1, 2}, {1, 2});
  few.counting("w", {2, 2});
  few.graph.mutable_initializer(0)->set_dims(0, 3);
  expect(few, "initializer 'w': has 4 elements for the shape 3x2");
  TestFile huge(13, {1, 2}, {1, 2});
  huge.counting("w", {2});
  huge.graph.mutable_initializer(0)->set_dims(0, int64_t{1} << 39);
  expect(huge, "unfolds to many times its own size");
  TestFile early(13, {1, 2}, {1, 2});
  early.node("Relu", {"later"}, "y");
  expect(early, "node 0 (Relu): reads 'later', which nothing before it makes");
  TestFile twice(13, {1, 2}, {1, 2});
  twice.node("Relu", {"x"}, "y");
  twice.node("Relu", {"x"}, "y");
  expect(twice, "node 1 (Relu): makes 'y', which something else made");
  TestFile old(6, {1, 2}, {1, 2});
  expect(old, "uses operator set 6");
  TestFile batch(13, {4, 2}, {4, 2});
  expect(batch, "input 'x': takes 4 pictures at once");
}

TEST(OnnxFormat, IsFoundByContentAndByName) {
  const auto bytes = export_model(picture_model());
  EXPECT_EQ(find_format(bytes, "anything.bin")->name, "ONNX");
  EXPECT_EQ(find_format({}, "x.ONNX")->name, "ONNX");
}

class RealDataOnnx : public testing::TestWithParam<const char*> {};

TEST_P(RealDataOnnx, TfliteToOnnxAndBackKeepsOutputsWithoutATranspose) {
  const auto path = std::filesystem::path(KINGLET_SHARED) / "models" / GetParam();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = import_file(path);
  const auto bytes = export_model(model);
  EXPECT_EQ(count_nodes(bytes, "Transpose"), 0);
  const auto back = import_model(bytes, "m.onnx");
  const bool integer = model.graph.value(model.graph.node(0).outputs[0]).dtype == DType::s8;
  EXPECT_LE(difference(model.graph, back.graph, 1), integer ? 0 : 1e-5);
  EXPECT_EQ(back.graph.node_count(), model.graph.node_count());
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataOnnx,
                         testing::Values("seeed/cifar10_rep035_int8.tflite", "seeed/mnist_rep035_int8.tflite", "mlperf_tiny/resnet8_float.tflite",
                                         "mlperf_tiny/resnet8_int8.tflite", "mlperf_tiny/vww_96_float.tflite", "mlperf_tiny/vww_96_int8.tflite"));

}  // namespace
}  // namespace kinglet::formats::onnx
