#include "ops/op_info.h"

#include "base/error.h"

namespace kinglet::ops {

#define KINGLET_OP(kind, name, attrs) extern const OpInfo k##kind##Info;
#include "graph/ops.def"
#undef KINGLET_OP

const OpInfo& op_info(graph::OpKind op) {
  switch (op) {
#define KINGLET_OP(kind, name, attrs) \
  case graph::OpKind::kind: return k##kind##Info;
#include "graph/ops.def"
#undef KINGLET_OP
  }
  KINGLET_CHECK(false);
}

void refuse(const graph::Node& node, const std::string& what, const std::string& hint) { throw Error(graph::describe(node), what, hint); }

void check_same_grid(const graph::Graph& graph, const graph::Node& node) {
  const auto& y = graph.value(node.outputs[0]);
  for (auto v : node.inputs)
    if (v != graph::kNone && !(graph.value(v).quant == y.quant))
      refuse(node, "has another scale or zero point for '" + graph.value(v).name + "' than for its output '" + y.name + "'", "quantize all its values alike");
}

namespace {
/// The activation field of any attribute struct that has one.
graph::Activation* activation_field(graph::Node& node) {
  return std::visit(
      [](auto& attrs) -> graph::Activation* {
        if constexpr (requires { attrs.activation; }) return &attrs.activation;
        else return nullptr;
      },
      node.attrs);
}
}  // namespace

graph::Activation fused_activation(const graph::Node& node) {
  auto* field = activation_field(const_cast<graph::Node&>(node));
  return field ? *field : graph::Activation::none;
}

void set_fused_activation(graph::Node& node, graph::Activation activation) {
  auto* field = activation_field(node);
  KINGLET_CHECK(field, graph::describe(node));
  *field = activation;
}

}  // namespace kinglet::ops
