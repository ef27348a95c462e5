#include "formats/onnx/fuse.h"

#include <algorithm>
#include <cmath>

#include "ops/op_info.h"

namespace kinglet::formats::onnx {

namespace {

using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::QuantParams;
using graph::ValueId;

bool has_weights(OpKind op) { return op == OpKind::Conv2d || op == OpKind::DepthwiseConv2d || op == OpKind::FullyConnected; }

bool can_fuse_activation(const Node& node) {
  const bool kind = has_weights(node.op) || node.op == OpKind::Add || node.op == OpKind::Mul || node.op == OpKind::AveragePool2d ||
                    node.op == OpKind::MaxPool2d;
  return kind && ops::fused_activation(node) == graph::Activation::none;
}

/// The one node that reads v, kNone if there are more or the graph itself gives v out.
NodeIndex only_user(const graph::Graph& graph, const std::vector<std::vector<NodeIndex>>& users, ValueId v) {
  const auto& list = users[static_cast<size_t>(v)];
  return list.size() == 1 && !graph.is_output(v) ? list[0] : graph::kNone;
}

}  // namespace

void fuse_activations(graph::Graph& graph) {
  const auto users = graph.users();
  for (Node& node : graph.nodes()) {
    if (!can_fuse_activation(node)) continue;
    const NodeIndex next = only_user(graph, users, node.outputs[0]);
    if (next == graph::kNone) continue;
    Node& user = graph.node(next);
    if (user.op != OpKind::Relu && user.op != OpKind::Relu6) continue;
    ops::set_fused_activation(node, user.op == OpKind::Relu ? graph::Activation::relu : graph::Activation::relu6);
    node.outputs[0] = user.outputs[0];
    user.inputs.clear();
    user.outputs.clear();
  }
  graph.erase_nodes([](const Node& node) { return node.outputs.empty(); });
}

namespace {

class QuantizationFuser {
 public:
  QuantizationFuser(graph::Graph& graph, const IntegerConstants& integers)
      : graph_(graph), integers_(integers), producers_(graph.producers()), users_(graph.users()) {}

  void run() {
    for (Node& node : graph_.nodes()) {
      if (node.outputs.empty()) continue;
      if (node.op == OpKind::Quantize)
        fuse_requantize(node);
      else if (is_arithmetic(node))
        fuse(node);
    }
    graph_.erase_nodes([](const Node& node) { return node.outputs.empty(); });
    graph_.remove_unused();
  }

 private:
  static bool is_arithmetic(const Node& node) {
    switch (node.op) {
      case OpKind::Dequantize:
      case OpKind::BatchNorm:
      case OpKind::Dropout:
      case OpKind::FakeQuantize:
      case OpKind::Opaque:
        return false;
      default:
        return true;
    }
  }

  /// The value that Dequantize made v from, kNone if v is no such thing.
  ValueId integer_source(ValueId v) const {
    const NodeIndex maker = static_cast<size_t>(v) < producers_.size() ? producers_[static_cast<size_t>(v)] : graph::kNone;
    return maker != graph::kNone && graph_.node(maker).op == OpKind::Dequantize ? graph_.node(maker).inputs[0] : graph::kNone;
  }

  const IntegerConstant* integers_of(ValueId v) const {
    auto it = integers_.find(v);
    return it == integers_.end() ? nullptr : &it->second;
  }

  /// before: f = dequantize(x); y = quantize(f)    after: y = quantize(x), from integer to integer
  void fuse_requantize(Node& node) {
    const ValueId source = integer_source(node.inputs[0]);
    if (source != graph::kNone) node.inputs[0] = source;
  }

  /// The scale and zero point that an activation input would have as int8; nothing if it is none.
  std::optional<QuantParams> activation_quant(ValueId v) const {
    if (const auto* constant = integers_of(v))
      return constant->tensor.dtype() == DType::s8 && !constant->quant.per_channel() ? std::optional(constant->quant) : std::nullopt;
    const ValueId source = integer_source(v);
    if (source == graph::kNone || graph_.value(source).dtype != DType::s8 || graph_.value(source).quant.empty()) return std::nullopt;
    return graph_.value(source).quant;
  }

  bool outputs_fit(const Node& node, const QuantParams& in, const QuantParams& out) const {
    const auto& rule = ops::op_info(node.op).quant;
    if (rule.kind == ops::QuantKind::fixed) return out == QuantParams::per_tensor(rule.scale, rule.zero_point);
    if (rule.kind == ops::QuantKind::same_as_input || rule.kind == ops::QuantKind::group) return out == in;
    return true;
  }

  bool weights_fit(const Node& node) const {
    const auto* w = integers_of(node.inputs[1]);
    if (!w || w->tensor.dtype() != DType::s8) return false;
    const int axis = node.op == OpKind::DepthwiseConv2d ? 3 : 0;
    const bool symmetric = std::all_of(w->quant.zero_point.begin(), w->quant.zero_point.end(), [](int32_t z) { return z == 0; });
    const bool bias_known = node.inputs.size() < 3 || node.inputs[2] == graph::kNone || graph_.value(node.inputs[2]).is_constant();
    return symmetric && bias_known && (!w->quant.per_channel() || w->quant.axis == axis);
  }

  void fuse(Node& node) {
    const NodeIndex next = only_user(graph_, users_, node.outputs[0]);
    if (next == graph::kNone || graph_.node(next).op != OpKind::Quantize) return;
    const ValueId y = graph_.node(next).outputs[0];
    if (graph_.value(y).dtype != DType::s8) return;
    const auto& info = ops::op_info(node.op);
    const size_t activations = info.activation_inputs < 0 ? node.inputs.size() : static_cast<size_t>(info.activation_inputs);
    std::optional<QuantParams> in;
    for (size_t i = 0; i < activations; ++i) {
      const auto quant = activation_quant(node.inputs[i]);
      if (!quant || (i > 0 && info.quant.kind == ops::QuantKind::group && !(*quant == *in))) return;
      if (i == 0) in = quant;
    }
    if (!in || !outputs_fit(node, *in, graph_.value(y).quant)) return;
    if (has_weights(node.op) && !weights_fit(node)) return;
    for (size_t i = 0; i < activations; ++i) node.inputs[i] = integer_activation(node.inputs[i]);
    if (has_weights(node.op)) fuse_weights(node);
    node.outputs[0] = y;
    graph_.node(next).inputs.clear();
    graph_.node(next).outputs.clear();
  }

  ValueId integer_activation(ValueId v) {
    const ValueId source = integer_source(v);
    return source != graph::kNone ? source : integer_constant(v);
  }

  ValueId integer_constant(ValueId v) {
    auto it = made_.find(v);
    if (it != made_.end()) return it->second;
    const auto& constant = integers_.at(v);
    return made_[v] = add(constant.name, constant.tensor, constant.quant);
  }

  ValueId add(const std::string& name, const Tensor& tensor, const QuantParams& quant) {
    const ValueId id = graph_.add_constant(graph_.unique_name(name), tensor, false);
    graph_.value(id).quant = quant;
    return id;
  }

  void fuse_weights(Node& node) {
    const float input_scale = graph_.value(node.inputs[0]).quant.scale[0];
    const QuantParams weight_quant = integers_.at(node.inputs[1]).quant;
    node.inputs[1] = integer_constant(node.inputs[1]);
    if (node.inputs.size() > 2 && node.inputs[2] != graph::kNone) node.inputs[2] = integer_bias(node.inputs[2], input_scale, weight_quant);
  }

  /// Scale of a bias: input scale times weight scale, one a channel where the weights have.
  static QuantParams bias_quant(float input_scale, const QuantParams& weights) {
    QuantParams quant;
    for (float scale : weights.scale) quant.scale.push_back(input_scale * scale);
    quant.zero_point.assign(quant.scale.size(), 0);
    quant.axis = weights.per_channel() ? 0 : -1;
    return quant;
  }

  ValueId integer_bias(ValueId v, float input_scale, const QuantParams& weights) {
    const QuantParams quant = bias_quant(input_scale, weights);
    const auto* known = integers_of(v);
    if (known && known->tensor.dtype() == DType::s32 && known->quant.scale == quant.scale) {
      const ValueId id = integer_constant(v);
      graph_.value(id).quant = quant;
      return id;
    }
    const auto real = graph_.value(v).constant->data<float>();
    Tensor rounded(DType::s32, graph_.value(v).shape);
    auto out = rounded.mutable_data<int32_t>();
    for (size_t i = 0; i < out.size(); ++i) {
      const double steps = double{real[i]} / double{quant.scale[quant.scale.size() == 1 ? 0 : i]};
      out[i] = std::isfinite(steps) ? static_cast<int32_t>(std::clamp(std::round(steps), -2147483648.0, 2147483647.0)) : 0;
    }
    return add(graph_.value(v).name, rounded, quant);
  }

  graph::Graph& graph_;
  const IntegerConstants& integers_;
  std::vector<NodeIndex> producers_;
  std::vector<std::vector<NodeIndex>> users_;
  std::unordered_map<ValueId, ValueId> made_;
};

}  // namespace

void fuse_quantization(graph::Graph& graph, const IntegerConstants& integers) { QuantizationFuser(graph, integers).run(); }

}  // namespace kinglet::formats::onnx
