// Files that are sound flatbuffers and yet lie: each must end in an Error that names the file and the place.
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "formats/tflite/tflite.h"
#include "tflite_generated.h"

namespace kinglet::formats::tflite {
namespace {

struct TestTensor {
  std::vector<int32_t> shape;
  fb::TensorType type = fb::TensorType::INT8;
  uint32_t buffer = 0;
  const char* name = "";
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t axis = 0;
};

/// x 1x4x4x2 -> CONV_2D 1x1x3 -> y -> RELU -> z, all int8, as a list of parts that a test spoils one of.
struct TestFile {
  uint32_t version = 3;
  std::vector<std::vector<uint8_t>> buffers{{}, std::vector<uint8_t>(6, 1), std::vector<uint8_t>(12, 0)};
  std::vector<TestTensor> tensors{{{1, 4, 4, 2}, fb::TensorType::INT8, 0, "x", {0.5f}, {0}},
                                  {{3, 1, 1, 2}, fb::TensorType::INT8, 1, "w", {0.1f, 0.2f, 0.3f}, {0, 0, 0}},
                                  {{3}, fb::TensorType::INT32, 2, "b", {0.05f, 0.1f, 0.15f}, {0, 0, 0}},
                                  {{1, 4, 4, 3}, fb::TensorType::INT8, 0, "y", {0.5f}, {0}},
                                  {{1, 4, 4, 3}, fb::TensorType::INT8, 0, "z", {0.5f}, {0}}};
  std::vector<int32_t> inputs{0}, outputs{4}, conv_inputs{0, 1, 2}, conv_outputs{3}, relu_inputs{3}, relu_outputs{4};
  uint32_t relu_code = 1;
  int stride = 1;
  fb::Activation activation = fb::Activation::NONE;
  bool conv_options = true, relu_first = false, two_graphs = false;

  std::vector<std::byte> build() const {
    flatbuffers::FlatBufferBuilder b;
    std::vector<flatbuffers::Offset<fb::Buffer>> fb_buffers;
    for (const auto& data : buffers) fb_buffers.push_back(data.empty() ? fb::CreateBuffer(b) : fb::CreateBufferDirect(b, &data));
    std::vector<flatbuffers::Offset<fb::Tensor>> fb_tensors;
    for (const auto& t : tensors) {
      const auto quant = fb::CreateQuantizationParametersDirect(b, nullptr, nullptr, &t.scale, &t.zero_point, 0, 0, t.axis);
      fb_tensors.push_back(fb::CreateTensorDirect(b, &t.shape, t.type, t.buffer, t.name, quant));
    }
    const std::vector codes{fb::CreateOperatorCode(b, 3, 0, 3, fb::BuiltinOperator::CONV_2D),
                            fb::CreateOperatorCode(b, 19, 0, 2, fb::BuiltinOperator::RELU)};
    const auto options = fb::CreateConv2DOptions(b, fb::Padding::VALID, stride, stride, activation);
    std::vector operators{fb::CreateOperatorDirect(b, 0, &conv_inputs, &conv_outputs,
                                                   conv_options ? fb::BuiltinOptions::Conv2DOptions : fb::BuiltinOptions::NONE,
                                                   conv_options ? options.Union() : 0),
                          fb::CreateOperatorDirect(b, relu_code, &relu_inputs, &relu_outputs)};
    if (relu_first) std::swap(operators[0], operators[1]);
    std::vector graphs{fb::CreateSubGraphDirect(b, &fb_tensors, &inputs, &outputs, &operators, "main")};
    if (two_graphs) graphs.push_back(graphs[0]);
    fb::FinishModelBuffer(b, fb::CreateModelDirect(b, version, &codes, &graphs, "test", &fb_buffers));
    const auto bytes = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
    return {bytes.begin(), bytes.end()};
  }
};

TEST(BadTflite, TheUnspoiledFileIsFine) {
  const auto model = import_model(TestFile{}.build(), "m.tflite");
  ASSERT_EQ(model.graph.node_count(), 2);
  EXPECT_EQ(model.graph.node(0).op, graph::OpKind::Conv2d);
  EXPECT_EQ(model.graph.value(model.graph.node(0).inputs[1]).quant.axis, 0);
}

TEST(GoodTflite, ABatchOfMinusOneIsOnePicture) {
  TestFile file;
  for (size_t i : {0u, 3u, 4u}) file.tensors[i].shape[0] = -1;
  EXPECT_EQ(import_model(file.build(), "m.tflite").graph.values()[0].shape, (Shape{1, 4, 4, 2}));
}

TEST(GoodTflite, BytesAtAnOddAddressAreRead) {
  auto bytes = TestFile{}.build();
  bytes.insert(bytes.begin(), std::byte{0});
  EXPECT_EQ(import_model(std::span(bytes).subspan(1), "m.tflite").graph.node_count(), 2);
}

struct Bad {
  const char* name;
  std::function<void(TestFile&)> spoil;
  const char* message;
};

class BadTfliteFile : public testing::TestWithParam<Bad> {};

TEST_P(BadTfliteFile, IsRefusedInWords) {
  TestFile file;
  GetParam().spoil(file);
  try {
    import_model(file.build(), "m.tflite");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(error.what()).rfind("m.tflite", 0), 0u) << error.what();
    EXPECT_NE(std::string(error.what()).find(GetParam().message), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadTfliteFile,
    testing::Values(
        Bad{"Version", [](TestFile& f) { f.version = 2; }, "format version 2"},
        Bad{"TwoGraphs", [](TestFile& f) { f.two_graphs = true; }, "2 subgraphs"},
        Bad{"NoOutput", [](TestFile& f) { f.outputs.clear(); }, "no output"},
        Bad{"BufferIndex", [](TestFile& f) { f.tensors[1].buffer = 77; }, "tensor 1 'w': names buffer 77 of 3"},
        Bad{"BufferTooShort", [](TestFile& f) { f.buffers[1].resize(5); }, "tensor 1 'w': has 5 bytes of data where 3x1x1x2 int8 needs 6"},
        Bad{"BufferTooLong", [](TestFile& f) { f.buffers[2].resize(16); }, "tensor 2 'b': has 16 bytes of data where 3 int32 needs 12"},
        Bad{"NegativeDimension",
            [](TestFile& f) {
              f.tensors[3].shape = {1, -4, 4, 3};
            },
            "tensor 3 'y': has the shape 1x-4x4x3"},
        Bad{"NegativeConstant",
            [](TestFile& f) {
              f.tensors[1].shape = {-1, 1, 1, 2};
            },
            "tensor 1 'w': has the shape -1x1x1x2"},
        Bad{"HugeShape",
            [](TestFile& f) {
              f.tensors[0].shape = {1, 0x7fffffff, 0x7fffffff, 0x7fffffff};
            },
            "more than 2^31 elements"},
        Bad{"SevenDimensions", [](TestFile& f) { f.tensors[0].shape = {1, 1, 1, 1, 4, 4, 2}; }, "has 7 dimensions"},
        Bad{"Batch", [](TestFile& f) { f.tensors[0].shape[0] = 8; }, "tensor 0 'x': takes 8 pictures at once"},
        Bad{"TensorIndex", [](TestFile& f) { f.conv_inputs[1] = 5; }, "operator 0 (CONV_2D): names tensor 5 of 5"},
        Bad{"NegativeTensorIndex", [](TestFile& f) { f.relu_outputs[0] = -2; }, "operator 1 (RELU): names tensor -2 of 5"},
        Bad{"InputListIndex", [](TestFile& f) { f.inputs[0] = 9; }, "the graph's input list: names tensor 9 of 5"},
        Bad{"OutputListIndex", [](TestFile& f) { f.outputs[0] = 1 << 30; }, "the graph's output list: names tensor 1073741824 of 5"},
        Bad{"OutputNobodyMakes",
            [](TestFile& f) {
              f.relu_outputs[0] = 3, f.relu_inputs[0] = 0, f.conv_outputs[0] = 4, f.outputs[0] = 3, f.tensors.push_back(f.tensors[4]),
              f.outputs[0] = 5;
            },
            "the graph's output list: reads tensor 5 'z' before any operator makes it"},
        Bad{"OperatorCode", [](TestFile& f) { f.relu_code = 4; }, "operator 1: names operator code 4 of 2"},
        Bad{"Cycle", [](TestFile& f) { f.conv_inputs[0] = 4; }, "operator 0 (CONV_2D): reads tensor 4 'z' before any operator makes it"},
        Bad{"Unordered", [](TestFile& f) { f.relu_first = true; }, "operator 0 (RELU): reads tensor 3 'y' before any operator makes it"},
        Bad{"MadeTwice", [](TestFile& f) { f.relu_outputs[0] = 3; }, "operator 1 (RELU): makes tensor 3 'y', which something else made"},
        Bad{"WritesItsInput", [](TestFile& f) { f.relu_outputs[0] = 0; }, "operator 1 (RELU): makes tensor 0 'x'"},
        Bad{"WritesAConstant", [](TestFile& f) { f.relu_outputs[0] = 1; }, "operator 1 (RELU): makes tensor 1 'w'"},
        Bad{"NoOutputs", [](TestFile& f) { f.relu_outputs.clear(); }, "operator 1 (RELU): has no outputs"},
        Bad{"NoInputs", [](TestFile& f) { f.relu_inputs.clear(); }, "operator 1 (RELU): has 0 inputs"},
        Bad{"AbsentInput", [](TestFile& f) { f.relu_inputs[0] = -1; }, "operator 1 (RELU): lacks input 0"},
        Bad{"NoOptions", [](TestFile& f) { f.conv_options = false; }, "operator 0 (CONV_2D): lacks its options"},
        Bad{"Stride", [](TestFile& f) { f.stride = 0; }, "operator 0 (CONV_2D): conv2d 'y': a stride of 0 is out of range"},
        Bad{"DeclaredShape", [](TestFile& f) { f.tensors[3].shape[3] = f.tensors[4].shape[3] = 2; },
            "output 'y' is declared 1x4x4x2 int8 but must be 1x4x4x3"},
        Bad{"BiasLength",
            [](TestFile& f) {
              f.tensors[2] = {{2}, fb::TensorType::INT32, 2, "b"}, f.buffers[2].resize(8);
            },
            "has a bias of 2 for 3 channels"},
        Bad{"ScaleCount", [](TestFile& f) { f.tensors[1].scale.pop_back(), f.tensors[1].zero_point.pop_back(); },
            "tensor 1 'w': has 2 scales for dimension 0 of 3x1x1x2"},
        Bad{"ZeroPointCount", [](TestFile& f) { f.tensors[1].zero_point.pop_back(); }, "tensor 1 'w': has 3 scales and 2 zero points"},
        Bad{"QuantizedDimension", [](TestFile& f) { f.tensors[1].axis = 4; }, "tensor 1 'w': is quantized along dimension 4"},
        Bad{"ZeroPointRange", [](TestFile& f) { f.tensors[0].zero_point = {128}; },
            "tensor 0 'x': has the zero point 128, outside -128..127"},
        Bad{"NegativeScale", [](TestFile& f) { f.tensors[0].scale = {-1.0f}; }, "tensor 0 'x': has the impossible scale -1"},
        Bad{"NanScale", [](TestFile& f) { f.tensors[3].scale = {std::numeric_limits<float>::quiet_NaN()}; },
            "tensor 3 'y': has the impossible scale nan"},
        Bad{"PerChannelActivation",
            [](TestFile& f) {
              f.tensors[3].scale = {1, 1, 1}, f.tensors[3].zero_point = {0, 0, 0}, f.tensors[3].axis = 3;
            },
            "activation quantized per channel"},
        Bad{"ElementType", [](TestFile& f) { f.tensors[0].type = fb::TensorType::COMPLEX64; },
            "tensor 0 'x': has the element type COMPLEX64"},
        Bad{"UnknownElementType", [](TestFile& f) { f.tensors[0].type = static_cast<fb::TensorType>(99); }, "has the element type 99"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(OpaqueTflite, AVariantThatNoKernelRunsSaysWhy) {
  TestFile file;
  file.activation = fb::Activation::RELU_N1_TO_1;
  const auto model = import_model(file.build(), "m.tflite");
  const auto& attrs = model.graph.node(0).as<graph::OpaqueAttrs>();
  EXPECT_EQ(attrs.name, "CONV_2D");
  EXPECT_EQ(attrs.detail, "fused activation RELU_N1_TO_1");
}

TEST(OpaqueTflite, HybridWeightsStayOpaque) {
  TestFile file;
  for (size_t i : {0u, 3u, 4u}) file.tensors[i].type = fb::TensorType::FLOAT32;
  EXPECT_EQ(import_model(file.build(), "m.tflite").graph.node(0).as<graph::OpaqueAttrs>().detail, "int8 weights for a float32 input");
}

TEST(BadTflite, TablesThatShareAHugeBufferManyTimesAreRefusedBeforeTheyAreCopied) {
  // 1 MB of data named by 200 buffers through one vector: 200 MB if every tensor copied its own.
  flatbuffers::FlatBufferBuilder b;
  const auto data = b.CreateVector(std::vector<uint8_t>(1 << 20, 1));
  std::vector buffers{fb::CreateBuffer(b)};
  std::vector<flatbuffers::Offset<fb::Tensor>> tensors;
  std::vector<int32_t> shape{1, 1 << 20}, reads{0}, makes{1}, inputs{0}, outputs{1};
  for (int i = 0; i < 2; ++i) tensors.push_back(fb::CreateTensorDirect(b, &shape, fb::TensorType::INT8, 0, "t"));
  for (uint32_t i = 1; i <= 200; ++i) {
    buffers.push_back(fb::CreateBuffer(b, data));
    tensors.push_back(fb::CreateTensorDirect(b, &shape, fb::TensorType::INT8, i, "c"));
    reads.push_back(static_cast<int32_t>(tensors.size()) - 1);
  }
  const std::vector codes{fb::CreateOperatorCode(b, 88, 0, 1, fb::BuiltinOperator::UNPACK)};
  const std::vector operators{fb::CreateOperatorDirect(b, 0, &reads, &makes)};
  const std::vector graphs{fb::CreateSubGraphDirect(b, &tensors, &inputs, &outputs, &operators)};
  fb::FinishModelBuffer(b, fb::CreateModelDirect(b, 3, &codes, &graphs, "test", &buffers));
  try {
    import_model(std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize())), "m.tflite");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "m.tflite: unfolds to many times its own size; its tables overlap: the file is damaged or hostile");
  }
}

}  // namespace
}  // namespace kinglet::formats::tflite
