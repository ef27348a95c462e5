// fuzz_seeds FOLDER: a few small sound files of each format to start the fuzzers from, FOLDER/NAME/*.
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "formats/keras_h5/contents.h"
#include "formats/onnx/onnx.h"
#include "formats/safetensors/safetensors.h"
#include "formats/tflite/tflite.h"
#include "formats/torch_pth/torch_pth.h"
#include "graph/serialize.h"
#include "ops/builder.h"
#include "passes/pipeline.h"
#include "zoo/zoo.h"

namespace {

using namespace kinglet;
namespace fs = std::filesystem;

/// Small enough for a fuzzer: every operator that files name, few channels.
graph::Model small_net(bool integer) {
  using graph::OpKind;
  ops::GraphBuilder b;
  const DType dtype = integer ? DType::s8 : DType::f32;
  const auto quant = integer ? graph::QuantParams::per_tensor(0.05f, 3) : graph::QuantParams();
  auto weights = [&](const char* name, const Shape& shape) {
    return b.constant(name, Tensor(dtype, shape), true, integer ? graph::QuantParams::per_tensor(0.01f, 0) : graph::QuantParams());
  };
  auto node = [&](OpKind op, graph::Attrs attrs, std::vector<graph::ValueId> inputs, const char* name) { return b.node(op, std::move(attrs), std::move(inputs), name, quant); };
  const auto x = b.input("x", Shape{1, 8, 8, 3}, dtype, quant);
  const auto conv = node(OpKind::Conv2d, graph::Conv2dAttrs{.stride_h = 2, .stride_w = 2, .padding = {.mode = graph::PaddingMode::same}}, {x, weights("w", Shape{4, 3, 3, 3})}, "conv");
  const auto dw = node(OpKind::DepthwiseConv2d, graph::DepthwiseConv2dAttrs{.padding = {.mode = graph::PaddingMode::same}}, {conv, weights("d", Shape{1, 3, 3, 4})}, "dw");
  const auto sum = node(OpKind::Add, graph::ActivationAttrs{.activation = graph::Activation::relu}, {conv, dw}, "sum");
  const auto joined = node(OpKind::Concatenation, graph::ConcatenationAttrs{3}, {sum, conv}, "joined");
  const auto pool = node(OpKind::MaxPool2d, graph::Pool2dAttrs{2, 2, 2, 2}, {joined}, "pool");
  const auto flat = node(OpKind::Reshape, graph::ReshapeAttrs{{32}}, {pool}, "flat");
  b.output(node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {flat, weights("f", Shape{5, 32})}, "scores"));
  graph::Model model;
  model.name = "seed";
  model.graph = b.finish();
  model.labels = {"a", "b", "c", "d", "e"};
  model.input.height = model.input.width = 8, model.input.channels = 3;
  return model;
}

formats::keras_h5::Contents keras_seed() {
  formats::keras_h5::Contents contents;
  contents.config = R"({"class_name":"Functional","config":{"name":"f","layers":[
{"class_name":"InputLayer","config":{"batch_input_shape":[null,4,4,1],"name":"a"},"name":"a","inbound_nodes":[]},
{"class_name":"Conv2D","config":{"name":"c","kernel_size":[3,3],"strides":[1,1],"padding":"same","activation":"relu","use_bias":true},"name":"c","inbound_nodes":[[["a",0,0,{}]]]},
{"class_name":"BatchNormalization","config":{"name":"n","axis":[3],"momentum":0.99,"epsilon":0.001,"scale":false,"center":true},"name":"n","inbound_nodes":[[["c",0,0,{}]]]},
{"class_name":"Add","config":{"name":"s"},"name":"s","inbound_nodes":[[["c",0,0,{}],["n",0,0,{}]]]},
{"class_name":"AveragePooling2D","config":{"name":"p","pool_size":[2,2],"strides":[2,2],"padding":"valid"},"name":"p","inbound_nodes":[[["s",0,0,{}]]]},
{"class_name":"Flatten","config":{"name":"g"},"name":"g","inbound_nodes":[[["p",0,0,{}]]]},
{"class_name":"Dense","config":{"name":"d","units":2,"activation":"softmax","use_bias":true},"name":"d","inbound_nodes":[[["g",0,0,{}]]]}],
"input_layers":[["a",0,0]],"output_layers":[["d",0,0]]}})";
  auto zeros = [](const Shape& shape) { return Tensor(DType::f32, shape); };
  contents.weights["c"] = {{"kernel", zeros(Shape{3, 3, 1, 2})}, {"bias", zeros(Shape{2})}};
  contents.weights["n"] = {{"beta", zeros(Shape{2})}, {"moving_mean", zeros(Shape{2})}, {"moving_variance", zeros(Shape{2})}};
  contents.weights["d"] = {{"kernel", zeros(Shape{8, 2})}, {"bias", zeros(Shape{2})}};
  return contents;
}

std::string index_seed(const graph::Model& model) {
  std::vector<std::string> names;
  for (const auto& value : model.graph.values()) names.push_back(value.name);
  return graph::model_to_index(model, names);
}

void write_seeds(const fs::path& folder) {
  for (bool integer : {false, true}) {
    const auto model = small_net(integer);
    const std::string name = integer ? "int8" : "float";
    write_file(folder / "tflite" / name, formats::tflite::export_model(model));
    write_file(folder / "onnx" / name, formats::onnx::export_model(model));
    write_file(folder / "torch_pth" / name, formats::torch_pth::write_state(formats::state_of(model)));
    write_file(folder / "safetensors" / name, formats::safetensors::write_state(formats::state_of(model)));
    write_file(folder / "kinglet" / name, graph::serialize(model));
    write_file(folder / "kinglet" / (name + "_index"), index_seed(model));
  }
  write_file(folder / "keras_h5" / "functional", formats::keras_h5::pack(keras_seed()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: fuzz_seeds FOLDER\n", stderr), 2;
  try {
    write_seeds(argv[1]);
  } catch (const Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), error.exit_code();
  }
  return 0;
}
