// Files as other exporters write them: what is read as which axis, type and value.
#include <cmath>

#include "formats/onnx/models_for_test.h"
#include "formats/tflite/tflite.h"
#include "graph/print.h"

namespace kinglet::formats::onnx {
namespace {

using graph::OpKind;
using graph::ValueId;
using Floats = std::vector<float>;

Floats run(const graph::Model& model, const Tensor& x, size_t output = 0) {
  const auto y = reference::run(model.graph, std::span(&x, 1)).at(output);
  return {y.data<float>().begin(), y.data<float>().end()};
}

Floats run(const graph::Model& model, const Floats& x) { return run(model, Tensor::of<float>(model.graph.value(model.graph.inputs[0]).shape, x)); }

Floats counting(int n) {
  Floats list;
  for (int i = 0; i < n; ++i) list.push_back(static_cast<float>(i));
  return list;
}

/// Element by element of an NCHW tensor, read in NHWC.
Floats nhwc(const Floats& x, int c, int h, int w) {
  Floats y;
  for (int i = 0; i < h * w; ++i)
    for (int k = 0; k < c; ++k) y.push_back(x[static_cast<size_t>(k * h * w + i)]);
  return y;
}

std::string reason_of(const graph::Model& model) {
  for (const auto& node : model.graph.nodes())
    if (node.op == OpKind::Opaque) return node.as<graph::OpaqueAttrs>().detail;
  return "none";
}

Shape input_shape(const graph::Model& model) { return model.graph.value(model.graph.inputs[0]).shape; }

TEST(OnnxAxes, AGrayNhwcPictureIsTurnedByAReshape) {
  TestFile file(13, {1, 4, 5, 1}, {1, 2, 4, 5});
  file.longs("turn", {-1, 1, 4, 5});
  file.node("Reshape", {"x", "turn"}, "t");
  file.counting("w", {2, 1, 1, 1});
  file.node("Conv", {"t", "w"}, "y");
  const auto model = file.import();
  EXPECT_EQ(input_shape(model), (Shape{1, 4, 5, 1}));
  ASSERT_EQ(model.graph.node_count(), 1) << graph::to_text(model.graph);
  EXPECT_EQ(model.graph.node(0).op, OpKind::Conv2d);
  EXPECT_EQ(model.input.height, 4);
  EXPECT_EQ(model.input.width, 5);
}

TEST(OnnxAxes, NhwcIsSeenBehindWhatWorksElementByElement) {
  TestFile file(13, {1, 4, 6, 5}, {1, 5, 4, 6});
  file.node("Relu", {"x"}, "r");
  TestFile::integers(file.node("Transpose", {"r"}, "t"), "perm", {0, 3, 1, 2});
  TestFile::integers(file.node("MaxPool", {"t"}, "y"), "kernel_shape", {1, 1});
  EXPECT_EQ(input_shape(file.import()), (Shape{1, 4, 6, 5}));
}

TEST(OnnxAxes, ThreeChannelsInTheLastPlaceAreNhwcUnlessAConvolutionReadsThem) {
  TestFile flat(13, {1, 4, 5, 3}, {1, 60});
  flat.node("Flatten", {"x"}, "y");
  EXPECT_EQ(input_shape(flat.import()), (Shape{1, 4, 5, 3}));
  TestFile conv(13, {1, 4, 5, 3}, {1, 4, 5, 3});
  conv.counting("w", {4, 4, 1, 1});
  conv.node("Conv", {"x", "w"}, "y");
  EXPECT_EQ(input_shape(conv.import()), (Shape{1, 5, 3, 4}));
  TestFile square(13, {1, 7, 3, 3}, {1, 63});
  square.node("Flatten", {"x"}, "y");
  EXPECT_EQ(input_shape(square.import()), (Shape{1, 3, 3, 7}));
  TestFile colours(13, {1, 3, 5, 3}, {1, 45});
  colours.node("Flatten", {"x"}, "y");
  EXPECT_EQ(input_shape(colours.import()), (Shape{1, 5, 3, 3}));
}

TEST(OnnxAxes, APictureThatGoesOutKeepsTheFilesTransposes) {
  const Floats x = counting(2 * 3 * 4);
  const auto output = [&](const std::vector<int64_t>& perm, const std::vector<int64_t>& declared) {
    TestFile file(13, {1, 2, 3, 4}, declared);
    file.node("Relu", {"x"}, "r");
    TestFile::integers(file.node("Transpose", {"r"}, "y"), "perm", perm);
    return file.import();
  };
  const auto swapped = output({0, 1, 3, 2}, {1, 2, 4, 3});
  EXPECT_EQ(swapped.graph.value(swapped.graph.outputs[0]).shape, (Shape{1, 4, 3, 2}));
  Floats wanted;
  for (int j = 0; j < 4; ++j)
    for (int i = 0; i < 3; ++i)
      for (int c = 0; c < 2; ++c) wanted.push_back(static_cast<float>(12 * c + 4 * i + j));
  EXPECT_EQ(run(swapped, nhwc(x, 2, 3, 4)), wanted);
  const auto last = output({0, 2, 3, 1}, {1, 3, 4, 2});
  EXPECT_EQ(last.graph.node_count(), 1);
  EXPECT_EQ(run(last, nhwc(x, 2, 3, 4)), nhwc(x, 2, 3, 4));
}

TEST(OnnxAxes, ASoftmaxOverTheWidthThatGoesOutIsNhwc) {
  TestFile file(13, {1, 2, 3, 4}, {1, 2, 3, 4});
  file.node("Softmax", {"x"}, "y");
  const auto model = file.import();
  EXPECT_EQ(model.graph.value(model.graph.outputs[0]).shape, (Shape{1, 3, 4, 2}));
}

TEST(OnnxQuantization, AnInt8InputWithoutAZeroPointHasZero) {
  TestFile file(13, {1, 4}, {1, 4});
  file.graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(pb::TensorProto::INT8);
  file.floats("s", {}, {0.5f});
  file.node("DequantizeLinear", {"x", "s"}, "d");
  file.node("Relu", {"d"}, "y");
  const auto model = file.import();
  const auto& input = model.graph.value(model.graph.inputs[0]);
  EXPECT_EQ(input.dtype, DType::s8);
  EXPECT_EQ(input.quant, graph::QuantParams::per_tensor(0.5f, 0));
  EXPECT_EQ(run(model, Tensor::of<int8_t>(Shape{1, 4}, std::vector<int8_t>{-5, 7, 100, -100})), (Floats{0, 3.5f, 50, 0}));
}

/// x -> QuantizeLinear -> MaxPool or nothing -> DequantizeLinear without a zero point -> y
TestFile quantized_file(int opset, int zero_type, int output_type, bool between) {
  TestFile file(opset, {1, 1, 1, 4}, {1, 1, 1, 4});
  file.floats("s", {}, {0.5f});
  std::vector<std::string> inputs{"x", "s"};
  if (zero_type) inputs.push_back("z"), file.byte("z", zero_type, 0);
  auto& q = file.node("QuantizeLinear", inputs, "q");
  if (output_type) TestFile::integer(q, "output_dtype", output_type);
  if (between) TestFile::integers(file.node("Transpose", {"q"}, "p"), "perm", {0, 1, 3, 2});
  file.node("DequantizeLinear", {between ? "p" : "q", "s"}, "y");
  return file;
}

TEST(OnnxQuantization, WithoutAZeroPointTheTypeOfTheIntegersDecides) {
  const Tensor x = Tensor::of<float>(Shape{1, 1, 4, 1}, Floats{-3, -0.5f, 1, 100});
  const Floats s8{-3, -0.5f, 1, 63.5f}, u8{0, 0, 1, 100};
  for (bool between : {false, true}) {
    EXPECT_EQ(run(quantized_file(13, pb::TensorProto::INT8, 0, between).import(), x), s8) << between;
    EXPECT_EQ(run(quantized_file(13, pb::TensorProto::UINT8, 0, between).import(), x), u8) << between;
    EXPECT_EQ(run(quantized_file(13, 0, 0, between).import(), x), u8) << between;
    EXPECT_EQ(run(quantized_file(21, 0, pb::TensorProto::INT8, between).import(), x), s8) << between;
    EXPECT_EQ(run(quantized_file(21, 0, pb::TensorProto::UINT8, between).import(), x), u8) << between;
  }
  auto wide = quantized_file(21, 0, pb::TensorProto::INT16, false);
  TestFile::value(wide.graph.add_value_info(), "q", {1, 1, 1, 4});
  EXPECT_EQ(reason_of(wide.import()), "quantizes to the element type 5");
}

TEST(OnnxQuantization, WeightsAreRoundedHalfToEven) {
  TestFile file(13, {1, 6}, {1, 6});
  file.floats("w", {6}, {0.25f, 0.75f, 1.25f, -0.25f, -0.75f, 2.25f});
  file.floats("s", {}, {0.5f});
  file.byte("z", pb::TensorProto::INT8, 0);
  file.node("QuantizeLinear", {"w", "s", "z"}, "q");
  file.node("DequantizeLinear", {"q", "s", "z"}, "d");
  file.node("Add", {"x", "d"}, "y");
  EXPECT_EQ(run(file.import(), Floats(6, 0)), (Floats{0, 1, 1, 0, -1, 2}));
}

TEST(OnnxFusion, ABiasIsNotAddedToAProductThatIsReadByAnotherNameToo) {
  for (bool also_output : {false, true}) {
    TestFile file(13, {1, 2}, {1, 2});
    file.floats("w", {2, 2}, {1, 0, 0, 1});
    file.floats("b", {2}, {10, 20});
    file.node("MatMul", {"x", "w"}, "a");
    file.node("Identity", {"a"}, "i");
    if (also_output) {
      file.node("Add", {"i", "b"}, "y");
      TestFile::value(file.graph.add_output(), "a", {1, 2});
    } else {
      file.node("Add", {"i", "b"}, "s");
      file.node("Relu", {"a"}, "r");
      file.node("Add", {"r", "s"}, "y");
    }
    const auto model = file.import();
    const Tensor x = Tensor::of<float>(Shape{1, 2}, Floats{1, -2});
    EXPECT_EQ(run(model, x), also_output ? (Floats{11, 18}) : (Floats{12, 18}));
    if (also_output) {
      EXPECT_EQ(run(model, x, 1), (Floats{1, -2}));
    }
  }
  TestFile alone(13, {1, 2}, {1, 2});
  alone.floats("w", {2, 2}, {1, 0, 0, 1});
  alone.floats("b", {2}, {10, 20});
  alone.node("MatMul", {"x", "w"}, "a");
  alone.node("Identity", {"a"}, "i");
  alone.node("Add", {"i", "b"}, "y");
  EXPECT_EQ(alone.import().graph.node_count(), 1);
}

TEST(OnnxFusion, AnIndexThatIsReadByAnotherNameTooStaysWide) {
  TestFile file(13, {1, 4}, {1});
  file.graph.mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(pb::TensorProto::INT64);
  auto& index = file.node("ArgMax", {"x"}, "y");
  TestFile::integer(index, "axis", 1);
  TestFile::integer(index, "keepdims", 0);
  file.node("Identity", {"y"}, "i");
  TestFile::integer(file.node("Cast", {"i"}, "c"), "to", pb::TensorProto::INT32);
  TestFile::value(file.graph.add_output(), "c", {1});
  file.graph.mutable_output(1)->mutable_type()->mutable_tensor_type()->set_elem_type(pb::TensorProto::INT32);
  const auto model = file.import();
  EXPECT_TRUE(model.graph.node(0).as<graph::ArgMaxAttrs>().wide);
  EXPECT_EQ(reason_of(model), "a cast to int32");
}

TEST(OnnxFusion, AHardSwishOfATransposedPictureIsNone) {
  const auto count = [](bool turned) {
    TestFile file(14, {1, 2, 3, 3}, {1, 2, 3, 3});
    auto& h = file.node("HardSigmoid", {"x"}, "h");
    auto* alpha = h.add_attribute();
    alpha->set_name("alpha");
    alpha->set_f(1.0f / 6);
    TestFile::integers(file.node("Transpose", {"x"}, "t"), "perm", turned ? std::vector<int64_t>{0, 1, 3, 2} : std::vector<int64_t>{0, 1, 2, 3});
    file.node("Mul", {"t", "h"}, "y");
    const auto model = file.import();
    return std::count_if(model.graph.nodes().begin(), model.graph.nodes().end(), [](const auto& node) { return node.op == OpKind::HardSwish; });
  };
  EXPECT_EQ(count(false), 1);
  EXPECT_EQ(count(true), 0);
}

/// What nearest pixels of a row of 7 are taken, by scale; empty if the file is not read so.
Floats resized(const char* coordinates, const char* rounding, float scale) {
  TestFile file(13, {1, 1, 1, 7}, {1, 1, 1, static_cast<int64_t>(std::floor(7 * scale))});
  file.floats("s", {4}, {1, 1, 1, scale});
  auto& node = file.node("Resize", {"x", "", "s"}, "y");
  TestFile::text(node, "coordinate_transformation_mode", coordinates);
  TestFile::text(node, "nearest_mode", rounding);
  const auto model = file.import();
  return model.graph.node(0).op == OpKind::Opaque ? Floats{} : run(model, counting(7));
}

TEST(OnnxResize, ScalesAreTakenAsTheyAreGiven) {
  EXPECT_EQ(resized("asymmetric", "floor", 2), (Floats{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6}));
  EXPECT_EQ(resized("asymmetric", "floor", 1.3f), (Floats{0, 0, 1, 2, 3, 3, 4, 5, 6}));
  // 16 pixels of 7: pixel 7 is that of 7 / 2.4 = 2.9, while 7 * 7 / 16 would be 3.06. Our operator knows only sizes: it must not be taken.
  const Floats wide = resized("asymmetric", "floor", 2.4f);
  EXPECT_TRUE(wide.empty() || wide == (Floats{0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6})) << wide.size();
}

TEST(OnnxOldForms, ResizeAndUpsampleOfEarlierOperatorSets) {
  const Floats wanted{0, 0, 1, 1, 2, 2};
  for (int opset : {7, 9, 10}) {
    TestFile file(opset, {1, 1, 1, 3}, {1, 1, 1, 6});
    file.floats("s", {4}, {1, 1, 1, 2});
    auto& node = file.node(opset == 10 ? "Resize" : "Upsample", opset == 7 ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "s"}, "y");
    if (opset == 7) {
      auto* scales = node.add_attribute();
      scales->set_name("scales");
      for (float s : {1.f, 1.f, 1.f, 2.f}) scales->add_floats(s);
    }
    EXPECT_EQ(run(file.import(), counting(3)), wanted) << opset;
  }
}

TEST(OnnxOldForms, ABiasOfOneRowOrOneNumber) {
  const auto with = [](const std::vector<int64_t>& dims, const Floats& values) {
    TestFile file(13, {1, 2}, {1, 3});
    file.floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
    file.floats("c", dims, values);
    file.node("Gemm", {"x", "w", "c"}, "y");
    return file.import();
  };
  for (const auto& dims : {std::vector<int64_t>{3}, {1, 3}}) EXPECT_EQ(run(with(dims, {10, 20, 30}), Floats{1, 0}), (Floats{11, 22, 33}));
  for (const auto& dims : {std::vector<int64_t>{}, {1}, {1, 1}}) EXPECT_EQ(run(with(dims, {10}), Floats{1, 0}), (Floats{11, 12, 13}));
  EXPECT_EQ(reason_of(with({2}, {10, 20})), "a bias of 2 for 3 outputs");
}

TEST(OnnxOldForms, AClipWithoutALimit) {
  TestFile none(13, {1, 3}, {1, 3});
  none.node("Clip", {"x"}, "c");
  none.node("Relu", {"c"}, "y");
  EXPECT_EQ(run(none.import(), Floats{-1, 3, 9}), (Floats{0, 3, 9}));
  EXPECT_EQ(none.import().graph.node_count(), 1);
  TestFile capped(13, {1, 3}, {1, 3});
  capped.floats("six", {}, {6});
  capped.node("Clip", {"x", "", "six"}, "c");
  capped.node("Relu", {"c"}, "y");
  EXPECT_EQ(run(capped.import(), Floats{-1, 3, 9}), (Floats{0, 3, 6}));
  TestFile::value(capped.graph.add_output(), "c", {1, 3});
  EXPECT_NE(reason_of(capped.import()), "none");
}

TEST(OnnxOldForms, ASqueezeOfAllThatIsOne) {
  TestFile file(13, {1, 4, 1, 1}, {4});
  file.node("Relu", {"x"}, "r");
  file.node("Squeeze", {"r"}, "y");
  EXPECT_EQ(file.import().graph.value(file.import().graph.outputs[0]).shape, (Shape{1, 4}));
  TestFile read(13, {1, 4, 1, 1}, {4});
  TestFile::value(read.graph.add_value_info(), "s", {1, 4});
  read.node("Squeeze", {"x"}, "s");
  read.node("Relu", {"s"}, "y");
  EXPECT_EQ(reason_of(read.import()), "squeezes axes that it does not name");
  read.graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param("N");
  EXPECT_EQ(reason_of(read.import()), "none");
}

TEST(OnnxImport, TheReasonForAnOpaqueNodeIsInEveryRefusal) {
  TestFile file(13, {1, 4, 3, 3}, {1, 4, 2, 2});
  auto& pool = file.node("MaxPool", {"x"}, "y");
  TestFile::integers(pool, "kernel_shape", {2, 2});
  TestFile::integers(pool, "strides", {2, 2});
  TestFile::integer(pool, "ceil_mode", 1);
  const auto model = file.import();
  ASSERT_EQ(reason_of(model), "ceil_mode with a partial last window");
  const auto refusal = [&](const auto& write) -> std::string {
    try {
      write(model);
      return "was written";
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string words = "is the operator MaxPool (ceil_mode with a partial last window), which Kinglet does not run, and cannot be written";
  const std::string onnx = refusal([](const auto& m) { export_model(m); }), lite = refusal([](const auto& m) { tflite::export_model(m); });
  EXPECT_NE(onnx.find(words), std::string::npos) << onnx;
  EXPECT_NE(lite.find(words), std::string::npos) << lite;
}

}  // namespace
}  // namespace kinglet::formats::onnx
