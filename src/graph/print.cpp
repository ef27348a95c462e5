#include "graph/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kinglet::graph {

namespace {

std::string type_text(const Value& value) {
  std::string text = fmt::format("{} {}", value.is_constant() ? value.shape.str() : value.shape.batch_str(), dtype_name(value.dtype));
  if (value.quant.per_channel()) text += fmt::format(" (per axis {})", value.quant.axis);
  else if (!value.quant.empty()) text += fmt::format(" ({:.6g}, {})", value.quant.scale[0], value.quant.zero_point[0]);
  return text;
}

/// key=value for each attribute that differs from its default.
std::string attrs_text(const Node& node) {
  const Json all = attrs_to_json(node.attrs), defaults = attrs_to_json(default_attrs(node.op));
  std::string text;
  for (const auto& [key, item] : all.items())
    if (item != defaults[key]) text += fmt::format(" {}={}", key, item.is_string() ? item.get<std::string>() : item.dump());
  return text;
}

std::string names(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> parts;
  for (ValueId v : ids) parts.push_back(v == kNone ? "-" : "%" + graph.value(v).name);
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  for (ValueId v : graph.inputs) text += fmt::format("input %{}: {}\n", graph.value(v).name, type_text(graph.value(v)));
  for (const Value& value : graph.values())
    if (value.is_constant()) text += fmt::format("{} %{}: {}\n", value.trainable ? "param" : "const", value.name, type_text(value));
  for (const Node& node : graph.nodes()) {
    std::vector<std::string> outs;
    for (ValueId v : node.outputs) outs.push_back(fmt::format("%{}: {}", graph.value(v).name, type_text(graph.value(v))));
    text += fmt::format("{} = {}({}){}{}\n", fmt::join(outs, ", "), op_name(node.op), names(graph, node.inputs), attrs_text(node),
                        node.rule == NodeRule::legacy_u8 ? " rule=legacy_u8" : "");
  }
  return text + fmt::format("output {}\n", names(graph, graph.outputs));
}

}  // namespace kinglet::graph
