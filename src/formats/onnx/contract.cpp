#include "formats/onnx/contract.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "formats/tflite/contract.h"

namespace kinglet::formats::onnx {

namespace {

using graph::InputSpec;
using graph::Origin;

constexpr size_t kMaxJsonBytes = size_t{1} << 20;
constexpr int64_t kMaxJsonDepth = 64;

/// Deep nesting would overflow the stack of whoever prints it later.
Json parse(const std::string& text, const std::string& where) {
  if (text.size() > kMaxJsonBytes) throw Error(where, "is too long");
  int64_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted) depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth > kMaxJsonDepth) throw Error(where, fmt::format("nests deeper than {}", kMaxJsonDepth));
  }
  return parse_json(text, where);
}

/// What we wrote is as sure as the writer was: only fields that were sure then are called embedded.
void embed_origins(InputSpec& spec) {
  const auto weak = graph::weak_fields(spec);
  const auto before = spec.origins;
  set_origins(spec, Origin::embedded);
  for (const auto& field : weak) {
    auto it = before.find(field);
    spec.origins[field] = it == before.end() ? Origin::assumed : it->second;
  }
}

void apply_contract(const std::string& text, graph::Model& model, const std::string& place) {
  const Json json = parse(text, place);
  model.name = clean_text(json_at<std::string>(json, "name", place));
  if (json.contains("input")) {
    const auto spec = graph::input_spec_from_json(json["input"], place);
    const Shape& shape = model.graph.value(model.graph.inputs[0]).shape;
    if (!(shape == Shape{1, spec.height, spec.width, spec.channels}))
      throw Error(place, fmt::format("speaks of {}x{}x{} where the input tensor has {}", spec.height, spec.width, spec.channels, shape.batch_str()));
    model.input = spec;
    embed_origins(model.input);
  }
  if (!json.contains("provenance")) return;
  if (!json["provenance"].is_object()) throw Error(place, "has a provenance that is no object");
  model.provenance = json["provenance"];
}

void apply_labels(const std::string& text, graph::Model& model, const std::string& place, const WarningCallback& warn) {
  const Json json = parse(text, place);
  const Shape& scores = model.graph.value(model.graph.outputs[0]).shape;
  const bool names = json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& label) { return label.is_string(); });
  if (!names || scores.rank() == 0 || static_cast<int64_t>(json.size()) != scores.back()) {
    if (warn) warn(fmt::format("{} does not name one label a score; the model has no labels", place));
    return;
  }
  for (const Json& label : json) model.labels.push_back(clean_text(label.get<std::string>()));
}

}  // namespace

void read_contract(const File& file, graph::Model& model, const WarningCallback& warn) {
  model.input = tflite::infer_input_spec(model.graph.value(model.graph.inputs[0]));
  if (const auto* text = file.metadata(kContractKey)) apply_contract(*text, model, fmt::format("{}: its '{}'", file.where(), kContractKey));
  if (const auto* text = file.metadata(kLabelsKey)) apply_labels(*text, model, fmt::format("{}: its '{}'", file.where(), kLabelsKey), warn);
}

void write_contract(const graph::Model& model, pb::ModelProto& proto) {
  auto add = [&](const char* key, const std::string& text) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(text);
  };
  add(kContractKey, tflite::contract_text(model));
  if (!model.labels.empty()) add(kLabelsKey, Json(model.labels).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace kinglet::formats::onnx
