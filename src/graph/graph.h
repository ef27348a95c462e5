// Values and nodes of one network, nodes in topological order. A plain data structure: verify() (verify.h) checks the
// invariants after every pass, ops/ knows what nodes mean.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/attrs.h"

namespace kinglet::graph {

using ValueId = int32_t;
using NodeIndex = int32_t;
inline constexpr int32_t kNone = -1;

/// real = scale * (integer - zero_point). One entry, or one per index of `axis`. Empty: the Value is not quantized.
struct QuantParams {
  std::vector<float> scale;
  std::vector<int32_t> zero_point;
  int axis = -1;  ///< -1: per tensor

  bool empty() const { return scale.empty(); }
  bool per_channel() const { return axis >= 0; }
  bool operator==(const QuantParams&) const = default;
  static QuantParams per_tensor(float scale, int32_t zero_point) { return {{scale}, {zero_point}, -1}; }
};

struct Value {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  ///< dimension 0 of an activation is 1 and stands for any number of pictures
  QuantParams quant;
  std::optional<Tensor> constant;  ///< weights, biases, statistics
  bool trainable = false;          ///< a constant the optimizer may change

  bool is_constant() const { return constant.has_value(); }
};

/// How an integer operator rounds (docs/numerics.md). `model` follows the rule the whole run was asked for.
enum class NodeRule : uint8_t { model, legacy_u8 };

struct Node {
  OpKind op = OpKind::Opaque;
  Attrs attrs;
  std::vector<ValueId> inputs;  ///< kNone where an optional input is absent
  std::vector<ValueId> outputs;
  std::string name;
  std::string origin;  ///< for messages: "m.onnx: node /features/Conv_3"
  NodeRule rule = NodeRule::model;

  template <class T>
  const T& as() const {
    return std::get<T>(attrs);
  }
  template <class T>
  T& as() {
    return std::get<T>(attrs);
  }
};

class Graph {
 public:
  ValueId add_value(Value value);
  ValueId add_constant(std::string name, Tensor tensor, bool trainable = false);
  /// Appends; the caller keeps topological order. Outputs must exist already.
  NodeIndex add_node(Node node);

  const Value& value(ValueId id) const { return values_.at(static_cast<size_t>(id)); }
  Value& value(ValueId id) { return values_.at(static_cast<size_t>(id)); }
  const std::vector<Value>& values() const { return values_; }
  const Node& node(NodeIndex index) const { return nodes_.at(static_cast<size_t>(index)); }
  Node& node(NodeIndex index) { return nodes_.at(static_cast<size_t>(index)); }
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& nodes() { return nodes_; }
  int value_count() const { return static_cast<int>(values_.size()); }
  int node_count() const { return static_cast<int>(nodes_.size()); }

  std::vector<ValueId> inputs, outputs;

  /// producers()[v] is the node that makes value v, kNone for inputs and constants. One sweep over the nodes.
  std::vector<NodeIndex> producers() const;
  /// users()[v] lists the nodes that read v, once per reading input. One sweep over the nodes.
  std::vector<std::vector<NodeIndex>> users() const;
  bool is_output(ValueId id) const;

  /// Every reader of `from` (nodes and graph outputs) reads `to` instead.
  void replace_uses(ValueId from, ValueId to);
  void erase_nodes(const std::function<bool(const Node&)>& doomed);
  /// Drops nodes whose outputs nobody reads and values nobody mentions; renumbers values.
  void remove_unused();
  /// A name not yet taken: `base`, `base_1`, ...
  std::string unique_name(const std::string& base) const;

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
};

/// "relu (m.tflite: operator 3)" for messages.
std::string describe(const Node& node);

}  // namespace kinglet::graph
