#include "train/start_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "load/open_model.h"
#include "ops/op_info.h"
#include "ops/verify.h"
#include "passes/pipeline.h"
#include "quantize/dequantize.h"
#include "zoo/zoo.h"

namespace kinglet::train {

namespace {

namespace fs = std::filesystem;
using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::ValueId;

bool has_weights(const Node& node) { return node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected; }

/// Operators that may stand between the head and the output; they keep or merge positions, never mix channels but by softmax.
bool passes_scores_on(OpKind op) {
  switch (op) {
    case OpKind::Softmax:
    case OpKind::Logistic:
    case OpKind::Reshape:
    case OpKind::Mean:
    case OpKind::AveragePool2d:
    case OpKind::Relu:
    case OpKind::Relu6:
    case OpKind::Dropout: return true;
    default: return false;
  }
}

/// Nodes from the output back to the head, the head last; nothing when there is none.
std::vector<graph::NodeIndex> path_to_head(const Graph& graph) {
  const auto producers = graph.producers();
  std::vector<graph::NodeIndex> path;
  for (auto at = producers[static_cast<size_t>(graph.outputs.at(0))]; at != kNone; at = producers[static_cast<size_t>(graph.node(at).inputs[0])]) {
    const Node& node = graph.node(at);
    path.push_back(at);
    const bool pointwise = node.op == OpKind::Conv2d && graph.value(node.inputs[1]).shape[1] == 1 && graph.value(node.inputs[1]).shape[2] == 1;
    if (node.op == OpKind::FullyConnected || pointwise) return path;
    if (!passes_scores_on(node.op)) break;
  }
  return {};
}

const Node& head_of(const graph::Model& model) {
  const auto path = path_to_head(model.graph);
  if (path.empty()) throw Error(model.name, "does not end in a fully connected operator or a 1x1 convolution, so it cannot get a head for other classes");
  return model.graph.node(path.back());
}

/// Imported models mark nothing as trainable: their weights and biases are.
void make_trainable(Graph& graph) {
  for (const auto& value : graph.values())
    if (value.trainable) return;
  for (const auto& node : graph.nodes())
    if (has_weights(node) || node.op == OpKind::BatchNorm)
      for (size_t i = 1; i < std::min<size_t>(3, node.inputs.size()); ++i)
        if (node.inputs[i] != kNone && graph.value(node.inputs[i]).is_constant() && graph.value(node.inputs[i]).dtype == DType::f32)
          graph.value(node.inputs[i]).trainable = true;
}

void draw(graph::Value& value, Shape shape, double deviation, uint64_t seed) {
  Tensor drawn(DType::f32, shape);
  RandomStream random(seed, 0, 0, Purpose::init);
  for (float& w : drawn.mutable_data<float>()) w = static_cast<float>(deviation * random.normal());
  value.shape = std::move(shape);
  value.constant = std::move(drawn);
}

void resize_reshape(Node& node, int64_t before, int64_t classes) {
  auto& shape = node.as<graph::ReshapeAttrs>().shape;
  for (auto& dim : shape)
    if (dim == before) dim = classes;
}

void softmax_for_logistic(Node& node) {
  if (node.op != OpKind::Logistic) return;
  node.op = OpKind::Softmax;
  node.attrs = graph::SoftmaxAttrs{};
}

bool is_quantized(const Graph& graph) {
  return std::any_of(graph.values().begin(), graph.values().end(), [](const graph::Value& v) { return !v.quant.empty(); });
}

/// Where the text leads: a file as it is, the best of a run folder, the float file of a zoo model.
fs::path source_file(const std::string& text) {
  if (fs::is_regular_file(text)) return text;
  const fs::path folder = text;
  const std::string name = folder.has_filename() ? folder.filename().string() : folder.parent_path().filename().string();
  for (const fs::path& file : {folder / "best.kinglet", folder / (name + "_float.tflite"), folder / (name + ".onnx")})
    if (fs::is_regular_file(file)) return file;
  if (!fs::exists(text))
    if (const auto file = load::named_file(text, false)) return *file;
  throw Error(text, "there is no such model file, run folder or zoo model", "for example models/cifar10_rep035 or runs/NAME/best.kinglet");
}

bool same_head(const graph::Model& model, const std::vector<std::string>& classes) {
  const auto count = model.graph.value(model.graph.outputs.at(0)).shape.back();
  return count == static_cast<int64_t>(classes.size()) && (model.labels.empty() || model.labels == classes);
}

}  // namespace

bool has_batch_norm(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) { return node.op == OpKind::BatchNorm; });
}

graph::Model open_source(const std::string& text, const std::string& architecture, const Say& say) {
  const fs::path file = source_file(text);
  graph::Model model = load::open_file(file, {.arch = architecture, .arch_is_spare = true, .warn = [&](const std::string& warning) { say(warning); }});
  if (model.graph.outputs.size() != 1) throw Error(file.string(), fmt::format("has {} outputs", model.graph.outputs.size()), "a classifier has one");
  if (model.name.empty()) model.name = file.stem().string();
  if (is_quantized(model.graph)) {
    model = quantize::dequantize_model(model);
    say(fmt::format("{} is quantized: training goes on from its rounded weights in float32; what it loses to rounding is not recovered, its limits "
                    "of range are gone, and the result must be quantized again",
                    file.string()));
  }
  model.sections.erase("train_state");
  make_trainable(model.graph);
  return model;
}

void fit_head(graph::Model& model, int classes, uint64_t seed) {
  head_of(model);
  const auto path = path_to_head(model.graph);
  const Node head = model.graph.node(path.back());
  graph::Value& weight = model.graph.value(head.inputs[1]);
  const int64_t before = weight.shape[0], in = weight.shape.back();
  draw(weight, head.op == OpKind::Conv2d ? Shape{classes, 1, 1, in} : Shape{classes, in}, 1 / std::sqrt(double(in)), seed);
  weight.trainable = true;
  if (head.inputs.size() > 2 && head.inputs[2] != kNone) {
    graph::Value& bias = model.graph.value(head.inputs[2]);
    draw(bias, Shape{classes}, 0, seed);
    bias.trainable = true;
  }
  for (auto at : path) {
    Node& node = model.graph.node(at);
    if (node.op == OpKind::Reshape) resize_reshape(node, before, classes);
    softmax_for_logistic(node);
  }
  ops::infer_types(model.graph);
  ops::verify(model.graph, model.name);
  model.labels.clear();
}

graph::Model head_only(const graph::Model& model) {
  graph::Model result = model;
  passes::fold_for_deployment(result.graph);
  const Node& head = head_of(result);
  for (ValueId v = 0; v < result.graph.value_count(); ++v) result.graph.value(v).trainable = false;
  for (size_t i = 1; i < head.inputs.size(); ++i)
    if (head.inputs[i] != kNone) result.graph.value(head.inputs[i]).trainable = true;
  return result;
}

void move_head(const graph::Model& from, graph::Model& to) {
  const Node &source = head_of(from), &target = head_of(to);
  for (size_t i = 1; i < target.inputs.size(); ++i) {
    if (target.inputs[i] == kNone) continue;
    KINGLET_CHECK(from.graph.value(source.inputs[i]).shape == to.graph.value(target.inputs[i]).shape);
    to.graph.value(target.inputs[i]).constant = from.graph.value(source.inputs[i]).constant;
  }
}

namespace {

/// A model that was trained before, with a head for `classes`.
graph::Model trained_before(const Recipe& recipe, const std::vector<std::string>& classes, const Say& say) {
  graph::Model model = open_source(recipe.from, recipe.model, say);
  if (!classes.empty() && !same_head(model, classes)) {
    fit_head(model, static_cast<int>(classes.size()), recipe.seed);
    say(fmt::format("new head for {} classes: {}", classes.size(), fmt::join(classes, ", ")));
  }
  Json parent = Json::object();
  parent["file"] = recipe.from;
  parent["provenance"] = model.provenance;
  model.provenance = Json::object();
  model.provenance["parent"] = parent;
  return model;
}

void change_contract(graph::InputSpec& input, const std::string& text) {
  if (text.empty()) return;
  const graph::InputSpec before = input;
  graph::override_input_spec(input, text);
  if (input.height != before.height || input.width != before.width || input.channels != before.channels)
    throw Error("input: " + text, "changes the size or the channels of the network's input", "they are part of `model`", ErrorKind::usage);
  input.origins = before.origins;
}

}  // namespace

graph::Model start_model(const Recipe& recipe, const std::vector<std::string>& classes, const Say& say) {
  graph::Model model = recipe.from.empty() ? zoo::build(recipe.model, recipe.seed) : trained_before(recipe, classes, say);
  change_contract(model.input, recipe.input);
  return model;
}

}  // namespace kinglet::train
