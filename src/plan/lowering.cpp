#include "plan/lowering.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "graph/opaque.h"
#include "ops/cost.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::plan {

using graph::OpKind;

Lowering::Lowering(const graph::Graph& graph, const Target& target)
    : graph_(graph), storage_of_(graph.values().size(), -1), readers_of_(graph.values().size(), 0) {
  plan_.target = target;
  for (const auto& node : graph.nodes())
    for (auto v : node.inputs)
      if (v != graph::kNone) ++readers_of_[static_cast<size_t>(v)];
  for (auto v : graph.outputs) ++readers_of_[static_cast<size_t>(v)];
  for (auto v : graph.inputs) {
    const auto& value = graph.value(v);
    storage_of_[static_cast<size_t>(v)] = new_storage(Operand::Kind::input, static_cast<int64_t>(plan_.inputs.size()), 0, 0);
    plan_.inputs.push_back({value.name, value.dtype, value.shape, value.quant});
  }
}

Plan Lowering::finish() {
  for (const auto& node : graph_.nodes()) {
    lower(node);
    release_inputs(node);
  }
  bind_outputs();
  place();
  return std::move(plan_);
}

void Lowering::lower(const graph::Node& node) {
  switch (node.op) {
    case OpKind::Conv2d: return lower_conv2d(*this, node);
    case OpKind::DepthwiseConv2d: return lower_depthwise_conv2d(*this, node);
    case OpKind::FullyConnected: return lower_fully_connected(*this, node);
    case OpKind::Add: return lower_add(*this, node);
    case OpKind::Mul: return lower_mul(*this, node);
    case OpKind::AveragePool2d:
    case OpKind::MaxPool2d: return lower_pool2d(*this, node);
    case OpKind::Mean: return lower_mean(*this, node);
    case OpKind::Reshape: return alias(node);
    case OpKind::Pad: return lower_pad(*this, node);
    case OpKind::Softmax: return lower_softmax(*this, node);
    case OpKind::Logistic: return lower_logistic(*this, node);
    case OpKind::Relu:
    case OpKind::Relu6: return lower_relu(*this, node);
    case OpKind::HardSwish: return lower_hard_swish(*this, node);
    case OpKind::Transpose: return lower_transpose(*this, node);
    case OpKind::Concatenation: return lower_concatenation(*this, node);
    case OpKind::StridedSlice: return lower_strided_slice(*this, node);
    case OpKind::ResizeNearest: return lower_resize_nearest(*this, node);
    case OpKind::ArgMax: return lower_arg_max(*this, node);
    case OpKind::Quantize: return lower_quantize(*this, node);
    case OpKind::Dequantize: return lower_dequantize(*this, node);
    case OpKind::BatchNorm: ops::refuse(node, "is a training operator and cannot be planned", "fold it first (pass fold_batch_norm)");
    case OpKind::Dropout: ops::refuse(node, "is a training operator and cannot be planned", "remove it first (pass remove_dropout)");
    case OpKind::FakeQuantize: ops::refuse(node, "is a training operator and cannot be planned", "convert the model to int8 first (quantize)");
    case OpKind::Opaque: ops::refuse(node, "cannot be planned: Kinglet has no kernel for " + graph::describe(node.as<graph::OpaqueAttrs>()));
  }
  KINGLET_CHECK(false);
}

void Lowering::release_inputs(const graph::Node& node) {
  for (auto v : node.inputs) {
    if (v == graph::kNone) continue;
    const int s = storage_of_[static_cast<size_t>(v)];
    if (s >= 0) --storages_[static_cast<size_t>(s)].readers;
  }
}

int Lowering::new_storage(Operand::Kind kind, int64_t index, int64_t bytes, int readers) {
  Storage s;
  s.kind = kind;
  s.index = index;
  s.buffer.bytes = bytes;
  s.readers = readers;
  storages_.push_back(s);
  return static_cast<int>(storages_.size()) - 1;
}

Operand Lowering::operand(int storage) const {
  const Storage& s = storages_[static_cast<size_t>(storage)];
  return {s.kind, s.kind == Operand::Kind::arena ? storage : s.index};
}

Operand Lowering::read(graph::ValueId value) {
  const auto& v = graph_.value(value);
  if (!v.is_constant()) return operand(storage_of_[static_cast<size_t>(value)]);
  const auto [it, fresh] = constant_of_.try_emplace(value, 0);
  if (fresh) it->second = constant(v.name, *v.constant).index;
  return {Operand::Kind::constant, it->second};
}

Operand Lowering::constant(const std::string& name, Tensor tensor) {
  plan_.constants.push_back({name, std::move(tensor)});
  return {Operand::Kind::constant, static_cast<int64_t>(plan_.constants.size()) - 1};
}

Operand Lowering::scratch(const graph::Node& node, int64_t bytes) {
  to_int32(node, bytes);
  return operand(new_storage(Operand::Kind::arena, 0, bytes, 0));
}

Operand Lowering::write(const graph::Node& node, std::span<const graph::ValueId> in_place) {
  const auto output = static_cast<size_t>(node.outputs[0]);
  const auto& value = graph_.value(node.outputs[0]);
  const int64_t bytes = value.shape.elements() * static_cast<int64_t>(dtype_bytes(value.dtype));
  for (auto candidate : in_place) {
    const int s = storage_of_[static_cast<size_t>(candidate)];
    if (s < 0) continue;
    Storage& storage = storages_[static_cast<size_t>(s)];
    int reads_here = 0;
    for (auto v : node.inputs) reads_here += v != graph::kNone && storage_of_[static_cast<size_t>(v)] == s;
    if (storage.kind != Operand::Kind::arena || storage.readers != reads_here || storage.buffer.bytes != bytes) continue;
    storage.readers += readers_of_[output];
    storage_of_[output] = s;
    return operand(s);
  }
  storage_of_[output] = new_storage(Operand::Kind::arena, 0, bytes, readers_of_[output]);
  return operand(storage_of_[output]);
}

void Lowering::alias(const graph::Node& node) {
  const auto input = static_cast<size_t>(node.inputs[0]), output = static_cast<size_t>(node.outputs[0]);
  if (storage_of_[input] < 0) {  // a constant
    storage_of_[input] = new_storage(Operand::Kind::constant, read(node.inputs[0]).index, 0, readers_of_[input]);
  }
  storage_of_[output] = storage_of_[input];
  storages_[static_cast<size_t>(storage_of_[input])].readers += readers_of_[output];
}

void Lowering::emit(const graph::Node& node, Kernel kernel, const Args& args, std::vector<Operand> operands) {
  const int at = static_cast<int>(plan_.steps.size());
  for (const auto& o : operands) {
    if (o.kind != Operand::Kind::arena) continue;
    Buffer& b = storages_[static_cast<size_t>(o.index)].buffer;
    if (b.first < 0) b.first = at;
    b.last = at;
  }
  const auto& value = graph_.value(node.outputs[0]);
  Step step{kernel, args, std::move(operands), node.name.empty() ? value.name : node.name, node.origin, node.outputs[0], value.dtype, value.shape, 0, 0};
  step.output_bytes = value.shape.elements() * static_cast<int64_t>(dtype_bytes(value.dtype));
  to_int32(node, step.output_bytes);
  step.macs = ops::node_macs(graph_, node);
  plan_.steps.push_back(std::move(step));
}

void Lowering::emit_part(const graph::Node& node, Kernel kernel, const Args& args, std::vector<Operand> operands, int64_t bytes) {
  emit(node, kernel, args, std::move(operands));
  Step& step = plan_.steps.back();
  step.value = graph::kNone;
  step.dtype = DType::s8;
  step.shape = Shape{bytes};
  step.output_bytes = bytes;
  step.macs = 0;
}

// An output is written where the caller wants it; one that is an input, a constant or another output's bytes is copied.
void Lowering::bind_outputs() {
  for (auto v : graph_.outputs) {
    const auto& value = graph_.value(v);
    const auto index = static_cast<int64_t>(plan_.outputs.size());
    plan_.outputs.push_back({value.name, value.dtype, value.shape, value.quant});
    const int s = storage_of_[static_cast<size_t>(v)];
    if (s >= 0 && storages_[static_cast<size_t>(s)].kind == Operand::Kind::arena) {
      storages_[static_cast<size_t>(s)].kind = Operand::Kind::output;
      storages_[static_cast<size_t>(s)].index = index;
      continue;
    }
    graph::Node copy;
    copy.op = OpKind::Reshape;
    copy.name = value.name + "_copy";
    copy.outputs = {v};
    const Args args = kinglet_count_args{to_int32(copy, plan_.outputs.back().bytes())};
    const Operand from = s >= 0 ? operand(s) : read(v);
    emit(copy, Kernel::copy, args, {from, {Operand::Kind::output, index}});
  }
}

void Lowering::place() {
  std::vector<Buffer> buffers;
  std::vector<size_t> owner(storages_.size());
  for (size_t i = 0; i < storages_.size(); ++i) {
    if (storages_[i].kind != Operand::Kind::arena || storages_[i].buffer.first < 0) continue;
    owner[i] = buffers.size();
    buffers.push_back(storages_[i].buffer);
  }
  const Placement placement = place_buffers(buffers, plan_.target.alignment_bytes);
  plan_.arena_bytes = placement.arena_bytes;
  plan_.arena_lower_bound_bytes = placement.lower_bound_bytes;
  for (auto& step : plan_.steps)
    for (auto& o : step.operands) {
      if (o.kind != Operand::Kind::arena) continue;
      const auto& s = storages_[static_cast<size_t>(o.index)];
      if (s.kind == Operand::Kind::arena) o.index = buffers[owner[static_cast<size_t>(o.index)]].offset;
      else o = {s.kind, s.index};
    }
}

namespace {
/// Kernels index with int32.
void check_sizes(const graph::Graph& graph) {
  for (const auto& value : graph.values()) {
    const int64_t bytes = value.shape.elements() * static_cast<int64_t>(dtype_bytes(value.dtype));
    if (bytes > std::numeric_limits<int32_t>::max())
      throw Error("value '" + value.name + "'", "is " + std::to_string(bytes) + " bytes large", "2^31 - 1 is the most that can be planned");
  }
}
}  // namespace

Plan make_plan(const graph::Graph& graph, const Target& target) {
  ops::verify(graph, "plan");
  check_sizes(graph);
  return Lowering(graph, target).finish();
}

int64_t Plan::macs() const {
  int64_t sum = 0;
  for (const auto& s : steps) sum += s.macs;
  return sum;
}

int64_t Plan::constant_bytes() const {
  int64_t sum = 0;
  for (const auto& c : constants) sum += static_cast<int64_t>(c.tensor.size_bytes());
  return sum;
}

const graph::Value& input_value(const Lowering& lowering, const graph::Node& node, size_t index) {
  return lowering.graph().value(node.inputs.at(index));
}

const graph::Value& output_value(const Lowering& lowering, const graph::Node& node) { return lowering.graph().value(node.outputs.at(0)); }

bool is_float(const Lowering& lowering, const graph::Node& node) {
  const DType dtype = input_value(lowering, node, 0).dtype;
  if (dtype == DType::f32) return true;
  if (dtype != DType::s8 || output_value(lowering, node).dtype != DType::s8)
    ops::refuse(node, "has no kernel for " + std::string(dtype_name(dtype)) + " data",
                dtype == DType::u8 ? "run the pass convert_legacy_uint8 first" : "float32 and int8 can be planned");
  return false;
}

Grid grid(const graph::Node& node, const graph::Value& value) {
  if (value.quant.scale.size() != 1 || value.quant.zero_point.size() != 1)
    ops::refuse(node, "needs one scale and zero point for '" + value.name + "'", "quantize the model first");
  return {value.quant.scale[0], value.quant.zero_point[0]};
}

const Tensor& parameter(const Lowering& lowering, const graph::Node& node, size_t index) {
  const auto& value = input_value(lowering, node, index);
  if (!value.is_constant()) ops::refuse(node, "has '" + value.name + "' computed where a constant is needed");
  return *value.constant;
}

int32_t to_int32(const graph::Node& node, int64_t n) {
  if (n < 0 || n > std::numeric_limits<int32_t>::max()) ops::refuse(node, "needs a tensor of " + std::to_string(n) + " bytes", "2^31 - 1 is the most");
  return static_cast<int32_t>(n);
}

ops::FloatRange finite(ops::FloatRange range) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return {std::max(range.min, -kLargest), std::min(range.max, kLargest)};
}

ops::FloatRange float_range(const graph::Node& node) { return finite(ops::activation_range(ops::fused_activation(node))); }

ops::ClampRange integer_range(const Lowering& lowering, const graph::Node& node) {
  return ops::activation_range(ops::fused_activation(node), output_value(lowering, node).quant, DType::s8);
}

}  // namespace kinglet::plan
