#include "graph/verify.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/error.h"

namespace kinglet::graph {

namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, const std::string& where) : graph_(graph), where_(where), known_(graph.values().size(), false) {}

  void run() {
    check_values();
    for (ValueId v : graph_.inputs) define(v, "graph input");
    for (ValueId v = 0; v < graph_.value_count(); ++v)
      if (graph_.value(v).is_constant()) define(v, "constant");
    for (const Node& node : graph_.nodes()) check_node(node);
    if (graph_.outputs.empty()) fail("has no outputs");
    for (ValueId v : graph_.outputs)
      if (!in_range(v) || !known_[static_cast<size_t>(v)]) fail("a graph output is made by no node");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(where_, what); }
  bool in_range(ValueId v) const { return v >= 0 && v < graph_.value_count(); }

  void define(ValueId v, const std::string& what) {
    if (!in_range(v)) fail(fmt::format("{} names value {} of {}", what, v, graph_.value_count()));
    if (known_[static_cast<size_t>(v)]) fail(fmt::format("value '{}' is made twice (last by {})", graph_.value(v).name, what));
    known_[static_cast<size_t>(v)] = true;
  }

  void check_values() const {
    std::unordered_set<std::string_view> names;
    for (const Value& value : graph_.values()) {
      if (!names.insert(value.name).second) fail(fmt::format("two values are named '{}'", value.name));
      if (value.constant && (value.constant->dtype() != value.dtype || !(value.constant->shape() == value.shape)))
        fail(fmt::format("constant '{}' does not fit its type", value.name));
      check_quant(value);
    }
  }

  void check_quant(const Value& value) const {
    const QuantParams& q = value.quant;
    if (q.empty()) return;
    if (q.scale.size() != q.zero_point.size()) fail(fmt::format("'{}' has {} scales and {} zero points", value.name, q.scale.size(), q.zero_point.size()));
    if (!is_integer(value.dtype)) fail(fmt::format("'{}' is {} and cannot be quantized", value.name, dtype_name(value.dtype)));
    if (q.axis >= value.shape.rank()) fail(fmt::format("'{}' is quantized along axis {} of {}", value.name, q.axis, value.shape.str()));
    const int64_t expected = q.per_channel() ? value.shape[q.axis] : 1;
    if (static_cast<int64_t>(q.scale.size()) != expected) fail(fmt::format("'{}' has {} scales where {} were expected", value.name, q.scale.size(), expected));
    for (float s : q.scale)
      if (!(s >= 0.0f) || s > 1e30f) fail(fmt::format("'{}' has a scale of {}", value.name, s));
  }

  void check_node(const Node& node) {
    const std::string text = describe(node);
    if (!attrs_fit(node.op, node.attrs)) fail(text + " carries another operator's attributes");
    for (ValueId v : node.inputs) {
      if (v == kNone) continue;
      if (!in_range(v)) fail(fmt::format("{} reads value {} of {}", text, v, graph_.value_count()));
      if (!known_[static_cast<size_t>(v)]) fail(fmt::format("{} reads '{}' before it is made", text, graph_.value(v).name));
    }
    if (node.outputs.empty()) fail(text + " has no outputs");
    for (ValueId v : node.outputs) define(v, text);
  }

  const Graph& graph_;
  const std::string& where_;
  std::vector<bool> known_;
};

}  // namespace

void verify_structure(const Graph& graph, const std::string& where) { Verifier(graph, where).run(); }

}  // namespace kinglet::graph
