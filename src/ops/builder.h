// Builds a Graph node by node, inferring every output type: the way architectures, importers and tests write networks.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace kinglet::ops {

class GraphBuilder {
 public:
  using ValueId = graph::ValueId;

  /// shape has 1 in dimension 0.
  ValueId input(const std::string& name, Shape shape, DType dtype = DType::f32, graph::QuantParams quant = {});
  ValueId constant(const std::string& name, Tensor tensor, bool trainable = false, graph::QuantParams quant = {});
  /// Appends a node with one output named `name` (made unique) and returns the output. `quant` is the output's.
  ValueId node(graph::OpKind op, graph::Attrs attrs, std::vector<ValueId> inputs, const std::string& name, graph::QuantParams quant = {});
  void output(ValueId value) { graph_.outputs.push_back(value); }

  const graph::Value& value(ValueId id) const { return graph_.value(id); }
  graph::Graph& graph() { return graph_; }
  /// Verifies and hands the Graph over.
  graph::Graph finish();

 private:
  graph::Graph graph_;
};

}  // namespace kinglet::ops
