#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/verb.h"
#include "eval/doubts.h"
#include "flow/deploy.h"
#include "graph/opaque.h"
#include "graph/print.h"

namespace kinglet::cli {

namespace {

Json value_json(const graph::Value& value) {
  Json json = {{"name", value.name}, {"shape", value.shape.dims()}, {"dtype", dtype_name(value.dtype)}, {"scale", nullptr}, {"zero_point", nullptr}};
  if (!value.quant.empty()) json["scale"] = value.quant.scale[0], json["zero_point"] = value.quant.zero_point[0];
  return json;
}

Json values_json(const graph::Graph& graph, const std::vector<graph::ValueId>& ids) {
  Json list = Json::array();
  for (auto v : ids) list.push_back(value_json(graph.value(v)));
  return list;
}

uint64_t file_bytes(std::string path) {
  std::error_code error;
  if (!std::filesystem::exists(path))
    if (const auto named = load::named_file(path)) path = named->string();
  const auto n = std::filesystem::file_size(path, error);
  return error ? 0 : n;
}

Json report(const graph::Model& model, const std::string& path) {
  const auto cost = flow::model_cost(model);
  Json operators = Json::object();
  for (const auto& node : model.graph.nodes()) {
    const std::string name = node.op == graph::OpKind::Opaque ? node.as<graph::OpaqueAttrs>().name : std::string(graph::op_name(node.op));
    operators[name] = operators.value(name, 0) + 1;
  }
  return {{"name", model.name},
          {"params", cost.deployed.params},
          {"train_params", cost.train_params ? Json(cost.train_params) : Json(nullptr)},
          {"macs", cost.deployed.macs},
          {"file_bytes", file_bytes(path)},
          {"peak_activation_bytes", cost.deployed.peak_activation_bytes},
          {"inputs", values_json(model.graph, model.graph.inputs)},
          {"outputs", values_json(model.graph, model.graph.outputs)},
          {"operators", operators},
          {"labels", model.labels},
          {"input_contract", graph::input_spec_to_json(model.input)},
          {"provenance", model.provenance}};
}

int64_t node_params(const graph::Graph& graph, const graph::Node& node) {
  int64_t n = 0;
  for (auto v : node.inputs)
    if (v != graph::kNone && graph.value(v).is_constant()) n += graph.value(v).shape.elements();
  return n;
}

std::string operator_label(const graph::Node& node) {
  if (node.op != graph::OpKind::Opaque) return std::string(graph::op_name(node.op));
  const auto detail = graph::opaque_detail(node);
  return node.as<graph::OpaqueAttrs>().name + (detail.empty() ? " (not runnable)" : " (not runnable: " + detail + ")");
}

std::string layer_table(const graph::Graph& graph) {
  std::vector<std::vector<std::string>> rows{{"#", "operator", "output", "type", "params", "MACs", "name"}};
  for (int i = 0; i < graph.node_count(); ++i) {
    const auto& node = graph.node(i);
    const auto& out = graph.value(node.outputs.at(0));
    std::string type(dtype_name(out.dtype));
    if (!out.quant.empty()) type += fmt::format(" {:.5g} {}", out.quant.scale[0], out.quant.zero_point[0]);
    rows.push_back({std::to_string(i), operator_label(node), out.shape.batch_str(), type,
                    group_digits(node_params(graph, node)), group_digits(ops::node_macs(graph, node)), node.name});
  }
  return table(rows);
}

std::string human(const graph::Model& model, const Json& json) {
  std::string text = fmt::format("{}\n\n{}\n", model.name, layer_table(model.graph));
  auto line = [&](const char* name, const std::string& value) { text += fmt::format("{:<18}{}\n", name, value); };
  line("parameters", group_digits(json["params"].get<int64_t>()) + (json["train_params"].is_null() ? "" : fmt::format(" deployed, {} in training", group_digits(json["train_params"].get<int64_t>()))));
  line("MACs", group_digits(json["macs"].get<int64_t>()) + " for one picture (FLOPs = 2 x MACs)");
  line("peak activations", group_digits(json["peak_activation_bytes"].get<int64_t>()) + " bytes");
  if (json["file_bytes"].get<uint64_t>()) line("file", group_digits(json["file_bytes"].get<int64_t>()) + " bytes");
  const bool understood = model.input.channels > 0 || model.graph.inputs.empty();
  line("input contract", understood ? graph::describe(model.input) : "none: " + model.graph.value(model.graph.inputs[0]).shape.batch_str() + " is no picture of 1 or 3 channels");
  if (model.provenance.contains("known_file")) line("", "known file: " + model.provenance["known_file"].value("title", std::string()));
  const auto weak = understood ? eval::doubtful_fields(model.input, true) : std::vector<std::string>{};
  if (!weak.empty()) line("", fmt::format("not stated by the file: {}", fmt::join(weak, ", ")));
  if (!model.labels.empty()) line("labels", fmt::format("{} ({}{})", model.labels.size(), fmt::join(model.labels.begin(), model.labels.begin() + static_cast<long>(std::min<size_t>(model.labels.size(), 12)), ", "), model.labels.size() > 12 ? ", ..." : ""));
  return text;
}

}  // namespace

void add_inspect(Verb& verb) {
  struct Args {
    std::string model;
    bool text = false;
  };
  auto args = std::make_shared<Args>();
  verb.app.add_option("MODEL", args->model, "model file, or an architecture such as mobilenet_v2_rep@0.35,32x32x3,10")->required();
  verb.app.add_flag("--text", args->text, "print the graph, one node a line");
  verb.add_open_flags();
  verb.examples("  kinglet inspect model.tflite\n  kinglet inspect mobilenet_v2_rep@0.35,64x64x3,2    # the cost before any training");
  verb.action = [&verb, args] {
    const auto model = verb.open(args->model);
    if (args->text) return verb.print({{"text", graph::to_text(model.graph)}}, graph::to_text(model.graph)), 0;
    const Json json = report(model, args->model);
    verb.print(json, verb.flags.json ? "" : human(model, json));
    return 0;
  };
}

}  // namespace kinglet::cli
