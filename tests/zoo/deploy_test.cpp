// Every architecture all the way: quantized, exported to TensorFlow Lite and ONNX, read back and run; at a size that takes a moment.
#include <gtest/gtest.h>

#include <vector>

#include "../../src/quantize/test_pictures.h"
#include "base/random.h"
#include "formats/onnx/onnx.h"
#include "formats/tflite/tflite.h"
#include "passes/pipeline.h"
#include "plan/plan.h"
#include "quantize/quantize.h"
#include "reference/interpreter.h"
#include "runtime/session.h"
#include "zoo/zoo.h"

namespace kinglet {
namespace {

/// The row's architecture at 32x32 (or what it needs), narrow where it has a width.
std::string small(const zoo::Row& row) {
  const auto spec = zoo::parse_spec(row.example);
  if (row.name == "deepface_emotion") return row.example;
  if (row.name == "resnet8") return "resnet8@16x16x3,3";
  return row.name + "@0.25,32x32x3,3";
}

/// BatchNorms as a training leaves them: statistics near what they normalize, so that no signal dies on the way.
graph::Model model_of(const zoo::Row& row) {
  graph::Model model = zoo::build(small(row), 4);
  RandomStream random(5, 0, 0, Purpose::draw);
  for (const auto& node : model.graph.nodes()) {
    if (node.op != graph::OpKind::BatchNorm) continue;
    auto& beta = model.graph.value(node.inputs[2]);
    Tensor drawn(DType::f32, beta.shape);
    for (float& b : drawn.mutable_data<float>()) b = static_cast<float>(random.uniform(-0.3, 0.5));
    beta.constant = drawn;
  }
  return model;
}

std::vector<Tensor> inputs_of(const graph::Graph& graph) {
  const auto& value = graph.value(graph.inputs[0]);
  Tensor x(value.dtype, value.shape);
  RandomStream random(6, 0, 0, Purpose::draw);
  if (value.dtype == DType::s8) for (int8_t& p : x.mutable_data<int8_t>()) p = static_cast<int8_t>(int(random.below(256)) - 128);
  else for (float& p : x.mutable_data<float>()) p = static_cast<float>(random.uniform(-1, 1));
  return {x};
}

void expect_session_equals_reference(const graph::Graph& graph, const std::string& what) {
  const auto inputs = inputs_of(graph);
  const Tensor expected = reference::run(graph, inputs)[0];
  const plan::Plan plan = plan::make_plan(graph, plan::host_target(ops::Numerics::tflm, plan::available_isas().back()));
  runtime::Session session(plan);
  Tensor got(plan.outputs[0].dtype, plan.outputs[0].shape);
  session.run(inputs[0].bytes().data(), got.mutable_bytes().data());
  EXPECT_TRUE(got == expected) << what;
}

TEST(ZooDeploy, QuantizesExportsAndRuns) {
  for (const zoo::Row& row : zoo::rows()) {
    SCOPED_TRACE(row.name);
    const graph::Model trained = model_of(row);
    const auto& spec = trained.input;
    const quantize::TestPictures pictures(8, spec.height, spec.width, spec.channels);
    quantize::Options options;
    options.calibration_n = 8;
    options.threads = 1;
    const graph::Model int8 = quantize::post_training(trained, pictures, options).model;
    expect_session_equals_reference(int8.graph, "int8");

    const auto inputs = inputs_of(int8.graph);
    const Tensor expected = reference::run(int8.graph, inputs)[0];
    const graph::Model tflite = formats::tflite::import_model(formats::tflite::export_model(int8), "m.tflite");
    EXPECT_TRUE(reference::run(tflite.graph, inputs)[0] == expected) << "tflite";
    graph::Model folded = trained;
    passes::fold_for_deployment(folded.graph);
    const auto floats = inputs_of(folded.graph);
    const Tensor before = reference::run(trained.graph, floats)[0];
    std::vector<graph::Model> models{folded, formats::tflite::import_model(formats::tflite::export_model(folded), "f.tflite")};
    const graph::Model onnx = formats::onnx::import_model(formats::onnx::export_model(int8), "m.onnx");
    EXPECT_EQ(onnx.graph.value(onnx.graph.outputs[0]).shape, expected.shape()) << "onnx";
    models.push_back(formats::onnx::import_model(formats::onnx::export_model(folded), "f.onnx"));
    for (const graph::Model& model : models) {
      const Tensor after = reference::run(model.graph, floats)[0];
      ASSERT_EQ(after.shape(), before.shape());
      for (size_t i = 0; i < after.data<float>().size(); ++i) EXPECT_NEAR(after.data<float>()[i], before.data<float>()[i], 2e-5);
    }
  }
}

}  // namespace
}  // namespace kinglet
