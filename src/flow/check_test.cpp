#include "flow/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "data/preprocess.h"
#include "flow/measures.h"
#include "load/open_model.h"
#include "flow/sscma.h"
#include "ops/builder.h"
#include "reference/interpreter.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;
using graph::OpKind;
using graph::QuantParams;

CheckReport check_on(const graph::Model& model, const char* profile) { return check(model, load_profile(profile)); }

const Finding* find(const CheckReport& report, const std::string& words) {
  for (const auto& f : report.findings)
    if (f.reason.find(words) != std::string::npos) return &f;
  return nullptr;
}

int count(const CheckReport& report, Severity severity) {
  return static_cast<int>(
      std::count_if(report.findings.begin(), report.findings.end(), [&](const Finding& f) { return f.severity == severity; }));
}

const QuantParams kQuant = QuantParams::per_tensor(1.0f / 255, -128);

/// One int8 convolution of `in` channels over a picture.
graph::Model conv_model(int size, int in, graph::Conv2dAttrs attrs, int kernel = 3, QuantParams input = kQuant) {
  ops::GraphBuilder builder;
  const auto x = builder.input("picture", {1, size, size, in}, DType::s8, input);
  QuantParams weights = QuantParams::per_tensor(0.01f, 0);
  const auto w = builder.constant("w", Tensor(DType::s8, {4, kernel, kernel, in}), false, weights);
  const auto b = builder.constant("b", Tensor(DType::s32, {4}), false, QuantParams::per_tensor(0.01f / 255, 0));
  attrs.padding.mode = graph::PaddingMode::same;
  builder.output(builder.node(OpKind::Conv2d, attrs, {x, w, b}, "conv", QuantParams::per_tensor(0.1f, 0)));
  graph::Model model;
  model.name = "net";
  model.graph = builder.finish();
  model.input.height = model.input.width = size;
  model.input.channels = in;
  if (in == 1) model.input.order = graph::ColorOrder::gray;
  return model;
}

TEST(Profiles, AllParseCiteASourceAndNameKnownOperators) {
  const auto names = list_profiles();
  for (const char* name : {"sscma", "tflm", "cmsis-nn", "ethos-u55", "ethos-u65", "esp-nn", "litert", "litert-gpu", "neutron"})
    EXPECT_TRUE(std::find(names.begin(), names.end(), name) != names.end()) << name;
  for (const auto& name : names) {
    const auto p = load_profile(name);
    EXPECT_EQ(p.name, name);
    ASSERT_FALSE(p.sources.empty()) << name;
    EXPECT_EQ(p.sources[0].rfind("https://", 0), 0u) << name;
    EXPECT_EQ(p.fallback.empty(), p.runs_elsewhere.empty()) << name;
    for (const auto& [op, rule] : p.operators) {
      if (std::isupper(static_cast<unsigned char>(op[0]))) continue;
      EXPECT_NO_THROW(graph::op_from_name(op, name)) << name << " " << op;
    }
  }
  EXPECT_THROW(load_profile("ethos-u56"), Error);
}

TEST(Check, StrideBeyondTheNpuFallsBackWithAWord) {
  graph::Conv2dAttrs attrs;
  EXPECT_TRUE(check_on(conv_model(32, 3, attrs), "ethos-u55").ok());
  EXPECT_EQ(check_on(conv_model(32, 3, attrs), "ethos-u55").native_nodes, 1);
  attrs.stride_h = attrs.stride_w = 4;
  const auto report = check_on(conv_model(32, 3, attrs), "ethos-u55");
  const auto* finding = find(report, "stride in height is 4, 1 to 3 is taken");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->severity, Severity::warning);
  EXPECT_EQ(finding->node, "conv");
  EXPECT_NE(finding->reason.find("runs on the Cortex-M instead"), std::string::npos);
  EXPECT_FALSE(finding->hint.empty());
  EXPECT_FALSE(report.ok()) << "no operator is left for the NPU";
  EXPECT_TRUE(check_on(conv_model(32, 3, attrs), "tflm").ok());
}

TEST(Check, OpaqueNodesAreNamed) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", {1, 8}, DType::s8, kQuant);
  auto model = graph::Model{};
  model.name = "net";
  model.graph = std::move(builder.graph());
  graph::Value y = model.graph.value(x);
  y.name = "y";
  graph::Node node;
  node.op = OpKind::Opaque;
  node.attrs = graph::OpaqueAttrs{"SEGMENT_SUM", ""};
  node.name = "strange";
  node.inputs = {x};
  node.outputs = {model.graph.add_value(y)};
  model.graph.outputs = node.outputs;
  model.graph.add_node(node);
  auto report = check_on(model, "tflm");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].node, "strange");
  EXPECT_EQ(report.findings[0].op, "SEGMENT_SUM");
  EXPECT_EQ(report.findings[0].reason, "operator SEGMENT_SUM is not supported");
  model.graph.node(0).attrs = graph::OpaqueAttrs{"MaxPool", "ceil_mode with a partial last window"};
  EXPECT_EQ(check_on(model, "tflm").findings[0].reason, "operator MaxPool is not supported here: ceil_mode with a partial last window");
  model.graph.node(0).attrs = graph::OpaqueAttrs{"TANH", ""};
  report = check_on(model, "ethos-u55");
  EXPECT_TRUE(report.ok());
  ASSERT_TRUE(find(report, "does not know its details"));
}

TEST(Check, FloatModelsAreToldOnce) {
  const auto report = check_on(load::open_model("resnet8@32x32x3,10"), "ethos-u55");
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(count(report, Severity::error), 1);
  EXPECT_LE(report.findings.size(), 3u);
  ASSERT_TRUE(find(report, "computes in float32"));
  EXPECT_NE(find(report, "computes in float32")->hint.find("kinglet quantize"), std::string::npos);
  EXPECT_TRUE(check_on(load::open_model("resnet8@32x32x3,10"), "litert-gpu").ok());
  EXPECT_TRUE(check_on(load::open_model("resnet8@32x32x3,10"), "tflm").ok());
}

TEST(Check, SscmaInterface) {
  EXPECT_TRUE(check_on(conv_model(32, 3, {}), "sscma").ok());
  EXPECT_TRUE(check_on(conv_model(96, 1, {}), "sscma").ok());
  EXPECT_TRUE(find(check_on(conv_model(48, 3, {}), "sscma"), "height is 48, at least 32 and a multiple of 32 is taken"));
  EXPECT_NE(find(check_on(conv_model(48, 3, {}), "sscma"), "height is 48")->hint.find("64"), std::string::npos);
  auto bgr = conv_model(32, 3, {});
  bgr.input.order = graph::ColorOrder::bgr;
  EXPECT_TRUE(find(check_on(bgr, "sscma"), "wants blue first"));
  auto shifted = conv_model(32, 3, {});
  graph::override_input_spec(shifted.input, "divisor=127.5,mean=1");
  EXPECT_FALSE(check_on(shifted, "sscma").ok());
  EXPECT_TRUE(find(check_on(shifted, "sscma"), "makes other numbers of them"));
  auto raw = conv_model(32, 3, {}, 3, QuantParams::per_tensor(1, -128));
  graph::override_input_spec(raw.input, "divisor=1");
  const auto report = check_on(raw, "sscma");
  EXPECT_TRUE(report.ok()) << "scale 1 with raw bytes is the same number";
  EXPECT_EQ(count(report, Severity::info), 1);
}

TEST(Sscma, RequantizesOnlyWhereItIsExact) {
  // Contract byte / 255, but the input's own scale is another: a Quantize node in front keeps each of the 256 numbers.
  const auto model = conv_model(32, 3, {}, 3, QuantParams::per_tensor(1.0f / 200, -128));
  const auto ready = with_byte_input(model);
  ASSERT_EQ(ready.graph.node_count(), 2);
  EXPECT_EQ(ready.graph.node(0).op, OpKind::Quantize);
  EXPECT_TRUE(check_on(ready, "sscma").ok());
  data::Image image{32, 32, 3, std::vector<uint8_t>(32 * 32 * 3)};
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 7);
  Tensor before(DType::s8, {1, 32, 32, 3}), after(DType::s8, {1, 32, 32, 3});
  data::Preprocessor(model.input, model.graph.value(model.graph.inputs[0])).run(image, before.mutable_bytes());
  data::Preprocessor(ready.input, ready.graph.value(ready.graph.inputs[0])).run(image, after.mutable_bytes());
  const auto a = reference::run(model.graph, std::span(&before, 1))[0], b = reference::run(ready.graph, std::span(&after, 1))[0];
  EXPECT_TRUE(std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin()));
  auto shifted = model;
  graph::override_input_spec(shifted.input, "divisor=127.5,mean=1");
  EXPECT_EQ(with_byte_input(shifted).graph.node_count(), 1) << "byte / 127.5 - 1 is no int8 times a scale from -128";
  EXPECT_EQ(with_byte_input(conv_model(32, 3, {})).graph.node_count(), 1);
  // A multiplier below a half is rounded twice, and some byte comes out one off: then nothing is put in front.
  EXPECT_EQ(with_byte_input(conv_model(32, 3, {}, 3, QuantParams::per_tensor(1.0f / 127, -128))).graph.node_count(), 1);
}

TEST(Sscma, WritesTheFileAndItsLabelsOrSaysWhyNot) {
  const fs::path folder = fs::temp_directory_path() / ("kinglet_sscma_" + std::to_string(::getpid()));
  auto model = conv_model(32, 3, {});
  model.labels = {"a", "b", "c", "d"};
  const auto file = export_sscma(model, folder / "m.tflite");
  const Json labels = parse_json(read_text_file(folder / "m.json"), "m.json");
  EXPECT_EQ(labels["classes"], (Json{"a", "b", "c", "d"}));
  EXPECT_EQ(labels["sha256"], file.sha256);
  EXPECT_EQ(load::open_model((folder / "m.tflite").string()).graph.node_count(), 1);
  try {
    export_sscma(conv_model(48, 3, {}), folder / "n.tflite");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 1);
    EXPECT_NE(std::string(error.what()).find("height is 48"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(folder / "n.tflite"));
  fs::remove_all(folder);
}

TEST(Measures, WeightSumIsOfOneOutputChannel) {
  auto model = conv_model(8, 2, {}, 1);
  auto& w = model.graph.value(model.graph.node(0).inputs[1]);
  w.constant = Tensor(DType::s8, {4, 1, 1, 2});
  auto data = w.constant->mutable_data<int8_t>();
  data[2] = -100, data[3] = 27;
  EXPECT_EQ(measure("weight_sum", model.graph, model.graph.node(0)), 127);
  EXPECT_EQ(measure("stride_h", model.graph, model.graph.node(0)), 1);
  EXPECT_FALSE(measure("multiplier", model.graph, model.graph.node(0)));
  EXPECT_THROW(measure("strides", model.graph, model.graph.node(0)), Error);
}

/// Vela 3.12.0 puts every operator of these files on the NPU, but one TRANSPOSE of the last.
TEST(RealDataCheck, AgreesWithVela) {
  const fs::path models = fs::path(KINGLET_SHARED) / "models";
  if (!fs::exists(models)) GTEST_SKIP() << "needs shared/models";
  for (const char* file : {"mlperf_tiny/resnet8_int8.tflite", "mlperf_tiny/vww_96_int8.tflite", "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite",
                           "tflm/person_detect.tflite", "seeed/cifar10_rep035_int8.tflite"}) {
    const auto report = check_on(load::open_model((models / file).string()), "ethos-u55");
    EXPECT_TRUE(report.ok()) << file;
    EXPECT_EQ(report.native_nodes, report.nodes)
        << file << ": " << (report.findings.empty() ? "" : report.findings[0].node + ": " + report.findings[0].reason);
  }
  const auto report = check_on(load::open_model((models / "tflm/mobilenet_v2_quantized_nchw.tflite").string()), "ethos-u55");
  EXPECT_EQ(report.nodes - report.native_nodes, 1);
  ASSERT_EQ(count(report, Severity::warning), 1);
  EXPECT_EQ(report.findings[0].op, "transpose");
}

TEST(RealDataCheck, PublishedFirmwareModelsFitTheFirmware) {
  const fs::path models = fs::path(KINGLET_SHARED) / "models";
  if (!fs::exists(models)) GTEST_SKIP() << "needs shared/models";
  for (const char* file : {"seeed/cifar10_rep035_int8.tflite", "seeed/mnist_rep035_int8.tflite", "mlperf_tiny/resnet8_int8.tflite",
                           "mlperf_tiny/vww_96_int8.tflite"})
    EXPECT_TRUE(check_on(load::open_model((models / file).string()), "sscma").ok()) << file;
  EXPECT_FALSE(check_on(load::open_model((models / "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite").string()), "sscma").ok()) << "uint8";
}

}  // namespace
}  // namespace kinglet::flow
