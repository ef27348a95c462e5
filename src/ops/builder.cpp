#include "ops/builder.h"

#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::ops {

graph::ValueId GraphBuilder::input(const std::string& name, Shape shape, DType dtype, graph::QuantParams quant) {
  graph::Value value;
  value.name = graph_.unique_name(name);
  value.dtype = dtype;
  value.shape = shape;
  value.quant = std::move(quant);
  graph_.inputs.push_back(graph_.add_value(std::move(value)));
  return graph_.inputs.back();
}

graph::ValueId GraphBuilder::constant(const std::string& name, Tensor tensor, bool trainable, graph::QuantParams quant) {
  const ValueId id = graph_.add_constant(graph_.unique_name(name), std::move(tensor), trainable);
  graph_.value(id).quant = std::move(quant);
  return id;
}

graph::ValueId GraphBuilder::node(graph::OpKind op, graph::Attrs attrs, std::vector<ValueId> inputs, const std::string& name, graph::QuantParams quant) {
  graph::Node node;
  node.op = op;
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  node.name = name;
  const auto type = op_info(op).infer(graph_, node).at(0);
  graph::Value value;
  value.name = graph_.unique_name(name);
  value.dtype = type.dtype;
  value.shape = type.shape;
  value.quant = std::move(quant);
  const ValueId id = graph_.add_value(std::move(value));
  node.outputs = {id};
  graph_.add_node(std::move(node));
  return id;
}

graph::Graph GraphBuilder::finish() {
  verify(graph_, "graph");
  return std::move(graph_);
}

}  // namespace kinglet::ops
