#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "formats/keras_h5/contents.h"
#include "formats/keras_h5/keras_h5.h"
#include "formats/keras_h5/layers.h"
#include "formats/keras_h5/network.h"
#include "formats/text.h"
#include "formats/tflite/contract.h"

namespace kinglet::formats::keras_h5 {

namespace {

using graph::ValueId;

constexpr int kMaxNesting = 8;
constexpr size_t kMaxLayers = 10'000;

/// Names of the layers whose outputs a layer reads, in whatever nesting its Keras wrote them: ["conv2d", 0, 0, {}] or
/// {"keras_history": ["conv2d", 0, 0]}.
void collect_sources(const Json& json, int depth, std::vector<std::string>& sources) {
  if (depth > kMaxNesting) return;
  if (json.is_object()) {
    if (json.contains("keras_history")) return collect_sources(json["keras_history"], depth + 1, sources);
    for (const auto& item : json) collect_sources(item, depth + 1, sources);
  } else if (json.is_array()) {
    if (json.size() >= 3 && json[0].is_string() && json[1].is_number() && json[2].is_number()) return sources.push_back(json[0].get<std::string>());
    for (const auto& item : json) collect_sources(item, depth + 1, sources);
  }
}

class Network {
 public:
  Network(const Contents& contents, std::string where) : contents_(contents), where_(std::move(where)) {}

  graph::Graph build() {
    const Json root = parse_json(contents_.config, where_ + ": its configuration");
    const auto kind = json_at<std::string>(root, "class_name", where_);
    const Json& config = root.contains("config") ? root["config"] : root;
    const Json& layers = config.is_array() ? config : list(config, "layers");
    if (layers.size() > kMaxLayers) throw Error(where_, fmt::format("has {} layers; {} are supported", layers.size(), kMaxLayers));
    if (kind == "Sequential") add_sequence(layers);
    else if (kind == "Functional" || kind == "Model") add_functional(config, layers);
    else throw Error(where_, fmt::format("is a model of the class '{}'", clean_text(kind)), "Sequential and Functional models are supported");
    if (builder_.graph().inputs.empty()) throw Error(where_, "has no input layer");
    return builder_.finish();
  }

 private:
  const Json& list(const Json& json, const char* key) const {
    if (!json.contains(key) || !json[key].is_array()) json_key_error(key, where_, "must be a list");
    return json[key];
  }

  static const Json& config_of(const Json& layer) {
    static const Json none = Json::object();
    return layer.contains("config") && layer["config"].is_object() ? layer["config"] : none;
  }

  std::string name_of(const Json& layer) const {
    if (!layer.is_object()) throw Error(where_, "has a layer that is no object", "the file is damaged");
    if (layer.contains("name") && layer["name"].is_string()) return clean_text(layer["name"].get<std::string>());
    return clean_text(json_at<std::string>(config_of(layer), "name", where_));
  }

  /// The batch is free; height, width and channels must be known.
  ValueId add_input(const Json& config, const std::string& name) {
    const char* key = config.contains("batch_shape") ? "batch_shape" : "batch_input_shape";
    std::vector<int64_t> dims;
    for (const Json& dim : list(config, key)) {
      if (!dims.empty() && !dim.is_number_integer()) throw Error(where_, fmt::format("input '{}' has no fixed size", name), "rebuild the model with a fixed input size");
      dims.push_back(dims.empty() ? 1 : dim.get<int64_t>());
      if (dims.back() < 1) throw Error(where_, fmt::format("input '{}' has a dimension of {}", name, dims.back()), "the file is damaged");
    }
    if (dims.size() < 2) throw Error(where_, fmt::format("input '{}' has {} dimensions", name, dims.size()));
    const Shape shape(dims);
    if (shape.elements() >= int64_t{1} << 31) throw Error(where_, fmt::format("input '{}' is impossibly large: {}", name, shape.str()));
    return builder_.input(name, shape);
  }

  ValueId add(const Json& json, const std::string& name, const std::vector<ValueId>& inputs) {
    static const std::map<std::string, Tensor> none;
    const auto kind = clean_text(json_at<std::string>(json, "class_name", where_));
    const auto weights = contents_.weights.find(name);
    const Layer layer{fmt::format("{}: layer {} ({})", where_, name, kind), name, kind, config_of(json), weights == contents_.weights.end() ? none : weights->second};
    return add_layer(builder_, layer, inputs);
  }

  void add_sequence(const Json& layers) {
    ValueId x = graph::kNone;
    for (const Json& layer : layers) {
      const std::string name = name_of(layer);
      const Json& config = config_of(layer);
      const bool input = layer.value("class_name", Json()) == "InputLayer";
      if (x == graph::kNone) x = add_input(config, input ? name : name + "_input");
      if (!input) x = add(layer, name, {x});
    }
    if (x != graph::kNone) builder_.output(x);
  }

  void add_functional(const Json& config, const Json& layers) {
    for (const Json& layer : layers) {
      const std::string name = name_of(layer);
      const bool input = layer.value("class_name", Json()) == "InputLayer";
      const Json calls = layer.contains("inbound_nodes") ? layer["inbound_nodes"] : Json::array();
      if (!input && calls.size() != 1) throw Error(where_, fmt::format("layer {} is used {} times; once is supported", name, calls.size()));
      const ValueId made = input ? add_input(config_of(layer), name) : add(layer, name, sources(calls, name));
      if (!values_.emplace(name, made).second) throw Error(where_, fmt::format("has two layers named '{}'", name), "the file is damaged");
    }
    std::vector<std::string> outputs;
    if (config.contains("output_layers")) collect_sources(config["output_layers"], 0, outputs);
    if (outputs.empty()) throw Error(where_, "names no output layer", "the file is damaged");
    for (const auto& name : outputs) builder_.output(value(name, "its list of outputs"));
  }

  std::vector<ValueId> sources(const Json& calls, const std::string& name) {
    std::vector<std::string> names;
    collect_sources(calls, 0, names);
    std::vector<ValueId> ids;
    for (const auto& source : names) ids.push_back(value(source, "layer " + name));
    return ids;
  }

  ValueId value(const std::string& name, const std::string& user) const {
    const auto it = values_.find(clean_text(name));
    if (it == values_.end()) throw Error(where_, fmt::format("{} reads '{}', which no layer before it makes", user, clean_text(name)), "the file is damaged");
    return it->second;
  }

  const Contents& contents_;
  std::string where_;
  ops::GraphBuilder builder_;
  std::map<std::string, ValueId> values_;
};

}  // namespace

graph::Model model_from_contents(const Contents& contents, const std::string& where) {
  graph::Model model;
  model.name = clean_text(std::filesystem::path(where).stem().string());
  model.graph = Network(contents, where).build();
  model.input = tflite::infer_input_spec(model.graph.value(model.graph.inputs[0]));
  return model;
}

bool is_hdf5(std::span<const std::byte> bytes) {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
  return bytes.size() >= kSignature.size() && std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback&) {
  return model_from_contents(read_contents(bytes, where), where);
}

}  // namespace kinglet::formats::keras_h5
