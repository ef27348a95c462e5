/// Writes one graph as an ONNX graph: values, constants and nodes; the operators are in export_operators.cpp and export_shape.cpp.
#pragma once

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "formats/layout.h"
#include "formats/onnx/writer.h"
#include "graph/model.h"
#include "ops/op_info.h"

namespace kinglet::formats::onnx {

/// Ours to ONNX's: pictures become NCHW, everything else stays.
inline Order order_of(const Shape& shape) { return shape.rank() == 4 ? kNchw : identity(shape.rank()); }

/// True if NHWC and NCHW hold this picture's elements in one sequence.
inline bool plain(const Shape& shape) { return shape.rank() != 4 || shape[3] == 1 || (shape[1] == 1 && shape[2] == 1); }

/// Every add_X writes `node` so that its float result is called `to`.
class Exporter {
 public:
  explicit Exporter(const graph::Model& model);

  std::vector<std::byte> run();

  /// Transposes that the model has not and the file needs.
  int surplus_transposes();

 private:
  using Node = graph::Node;
  using Value = graph::Value;
  using ValueId = graph::ValueId;

  // values and constants: export.cpp
  void check_size() const;
  void describe_value(ValueId v, pb::ValueInfoProto* info);
  /// The float side of an activation: itself, or a DequantizeLinear of it.
  std::string activation(ValueId v);
  /// A constant in the file's order, dequantized if it holds integers. `axis` is the ONNX axis of its channels.
  std::string constant(ValueId v, const Tensor& tensor, int axis, const std::string& variant, graph::QuantParams quant);
  /// The first variant of a constant keeps its name.
  std::string next_name(ValueId v, const Tensor& tensor);
  /// A single number, written once.
  std::string number(const std::string& name, float value);
  const Tensor& weights_of(const Node& node, size_t i) const;
  std::string weights(const Node& node, const Order& order);
  /// A bias in int32 has the scale of input times weights, stated or not.
  std::string bias(const Node& node);
  void add_node(const Node& node);
  void add_activation(graph::Activation activation, const std::string& from, const std::string& to);
  void add_arithmetic(const Node& node, const std::string& to);

  // operators that compute: export_operators.cpp
  void add_conv(const Node& node, const std::string& to);
  void add_pool(const Node& node, const char* op, const std::string& to);
  /// Weights whose columns follow the NCHW sequence of the picture that the input was flattened from.
  std::string dense_weights(const Node& node, const Shape& picture);
  void add_fully_connected(const Node& node, const std::string& to);
  /// A constant operand gets all the axes of the result before they are put into the file's order.
  std::string operand(const Node& node, size_t i);
  void add_binary(const Node& node, const char* op, const std::string& to);
  void add_mean(const Node& node, const std::string& to);
  /// x * hard_sigmoid(x): an operator of its own only since operator set 14.
  void add_hard_swish(const Node& node, const std::string& to);
  void add_arg_max(const Node& node, const std::string& to);
  void add_softmax(const Node& node, const std::string& to);
  void add_batch_norm(const Node& node, const std::string& to);

  // operators that only move elements: export_shape.cpp
  std::string to_nhwc(const std::string& x, const std::string& to);
  /// True if all that read v are fully connected layers, which can take a permutation into their weights.
  bool only_feeds_dense(ValueId v) const;
  void add_reshape(const Node& node, const std::string& to);
  void add_pad(const Node& node, const std::string& to);
  void add_transpose(const Node& node, const std::string& to);
  void add_concatenation(const Node& node, const std::string& to);
  /// Axes that go are cut to one element and squeezed, from NHWC where the order of the rest depends on it.
  void add_strided_slice(const Node& node, const std::string& to);
  /// The rule of ONNX that takes the same pixels.
  void add_resize_nearest(const Node& node, const std::string& to);

  const Value& in(const Node& node, size_t i) const { return graph_.value(node.inputs[i]); }
  const Value& out(const Node& node) const { return graph_.value(node.outputs[0]); }
  static bool has_bias(const Node& node) { return node.inputs.size() > 2 && node.inputs[2] != graph::kNone; }
  /// The file's axis of our axis.
  int64_t file_axis(const Shape& shape, int axis) const { return inverse(order_of(shape))[static_cast<size_t>(axis)]; }

  const graph::Model& model_;
  const graph::Graph& graph_;
  Writer writer_;
  std::vector<std::vector<graph::NodeIndex>> users_;
  std::vector<std::string> floats_;                         ///< by value: the name of its float side once it has one
  std::unordered_map<std::string, std::string> constants_;  ///< by value and variant
  std::unordered_set<ValueId> written_;
  int own_transposes_ = 0;                        ///< those that the model itself has
  std::unordered_map<ValueId, Shape> flattened_;  ///< values in the sequence of this NCHW picture (its shape as ours)
};

}  // namespace kinglet::formats::onnx
