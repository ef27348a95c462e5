// What an ONNX name stands for while a file is read, and the building of our nodes from it. The meaning of each operator is
// import_operators.cpp's part.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/progress.h"
#include "formats/onnx/file.h"
#include "formats/onnx/fuse.h"
#include "formats/layout.h"
#include "graph/graph.h"

namespace kinglet::formats::onnx {

/// Thrown and caught within the importer: why a node stays opaque.
struct Unknown {
  std::string reason;
};

/// A constant (tensor, in the file's order of axes) or a value of our graph.
struct Entry {
  std::optional<Tensor> tensor;
  graph::QuantParams quant;  ///< of a constant that DequantizeLinear read: `tensor` holds the integers
  std::string source;        ///< the name of those integers
  graph::ValueId id = graph::kNone;
  Order order;                       ///< of a value: which ONNX axis each of our axes holds
  std::optional<Shape> unflattened;  ///< a value flattened from this C x H x W is in our sequence, not in the file's
};

/// One node with typed access to its attributes.
class Source {
 public:
  Source(const pb::NodeProto& proto, std::string place) : node(proto), where(std::move(place)) {}

  const pb::NodeProto& node;
  const std::string where;  ///< "m.onnx: node 3 (Conv)", opens messages

  const pb::AttributeProto* attribute(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  float real(std::string_view name, float fallback) const;
  std::string text(std::string_view name, const std::string& fallback) const;
  std::vector<int64_t> integers(std::string_view name) const;  ///< empty if absent
  bool has_input(int i) const { return i < node.input_size() && !node.input(i).empty(); }
};

class Importer {
 public:
  Importer(File& file, graph::Graph& graph) : file_(file), graph_(graph) {}
  void run();

  File& file() { return file_; }
  graph::Graph& graph() { return graph_; }

  /// What input i of the node stands for; throws Error if nothing made it.
  const Entry& input(const Source& source, int i);
  /// Throws Unknown where it is no constant of float32 (as such or dequantized).
  const Entry& float_constant(const Source& source, int i);
  /// The elements of a constant of integers, of at most 64 of them. Throws Unknown for anything else.
  std::vector<int64_t> integer_constant(const Source& source, int i);
  std::optional<float> scalar(const Source& source, int i);  ///< of a constant of one float, nothing if the input is absent

  Shape onnx_shape(const Entry& entry) const;
  /// The value with its axes in this order: itself, a Reshape of it where only axes of size 1 move, else a Transpose.
  graph::ValueId in_order(const Source& source, const Entry& entry, const Order& order);
  graph::ValueId plain(const Source& source, const Entry& entry) { return in_order(source, entry, identity(static_cast<int>(entry.order.size()))); }

  /// The entry with the elements of a flattened picture put into the file's sequence; itself where they are.
  Entry settled(const Source& source, const Entry& entry);

  using Change = Tensor (*)(const Tensor&, const std::vector<int64_t>&);
  /// A constant of our graph: `change` (with its numbers) applied to the file's. axis_map[a] is our axis of the file's axis a.
  graph::ValueId constant(const Source& source, int i, Change change, const std::vector<int64_t>& numbers, const Order& axis_map, bool trainable);

  /// A constant of one number, made once.
  graph::ValueId number(float value);

  /// Appends a node for `source`; the result has the given order of axes and is not yet known by a name.
  Entry emit(const Source& source, graph::OpKind op, graph::Attrs attrs, std::vector<graph::ValueId> inputs, Order order, DType dtype = DType::f32,
             graph::QuantParams quant = {}, const std::string& name = {});
  /// Output i of the node is `entry` from now on.
  void define(const Source& source, int i, Entry entry);
  int use_count(const std::string& name) const;  ///< how many read the value of this name, by any of its names

  /// One node reads this name, nothing reads another name of the value, and it is of this kind.
  bool only_reader_is(const std::string& name, std::string_view op) const;
  bool is_read_by_nodes(const std::string& name) const;
  bool batch_is_free() const;  ///< the first input does not say how many pictures it takes
  /// A Clip to 6 from above that its Relu is to make.
  bool is_capped(const std::string& name) const { return capped_.count(name) > 0; }
  void note_capped(const std::string& name) { capped_.insert(name); }

  /// A value of signed bytes that are unsigned in the file.
  bool was_moved(graph::ValueId v) const { return moved_.count(v) > 0; }
  void note_moved(graph::ValueId v) { moved_.insert(v); }

  /// The value that `v` is hard_sigmoid (slope 1/6) of, kNone if it is none.
  graph::ValueId hard_sigmoid_of(graph::ValueId v) const;
  void note_hard_sigmoid(graph::ValueId v, graph::ValueId of) { hard_sigmoids_[v] = of; }

 private:
  void count_uses();
  const std::string& root_name(const std::string& name) const;  ///< the first of the names of a value
  bool starts_nhwc(const std::string& input, const Shape& shape) const;
  void add_initializers();
  void add_input(const pb::ValueInfoProto& info);
  void add_output(const pb::ValueInfoProto& info);
  void add_node(const pb::NodeProto& node, int index);
  void add_opaque(const Source& source, const std::string& reason);
  Shape declared_shape(const pb::ValueInfoProto& info, const std::string& user) const;
  std::string unique_name(const std::string& wish);

  File& file_;
  graph::Graph& graph_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, int> uses_;                  ///< by root_name
  std::unordered_map<std::string, std::string> same_value_;   ///< a further name of a value: its first
  std::unordered_set<graph::ValueId> moved_;
  std::unordered_set<std::string> capped_;
  std::unordered_map<std::string, graph::ValueId> constants_;  ///< by the file's name and the change made to it
  std::unordered_map<std::string, int> names_;
  std::unordered_map<graph::ValueId, graph::ValueId> hard_sigmoids_;
  IntegerConstants integers_;
};

/// Adds the nodes that mean what `source` does. Throws Unknown where Kinglet has none, Error where the node contradicts itself.
void map_operator(Importer& importer, const Source& source);

}  // namespace kinglet::formats::onnx
