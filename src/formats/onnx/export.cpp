#include <algorithm>

#include "formats/onnx/contract.h"
#include "formats/onnx/exporter.h"
#include "formats/onnx/onnx.h"
#include "graph/opaque.h"
#include "ops/verify.h"

namespace kinglet::formats::onnx {

using graph::OpKind;

namespace {

constexpr uint64_t kMaxConstantBytes = uint64_t{1900} << 20;

bool is_bytes(DType dtype) { return dtype == DType::s8 || dtype == DType::u8; }

}  // namespace

Exporter::Exporter(const graph::Model& model)
    : model_(model), graph_(model.graph), writer_(model.graph), users_(model.graph.users()), floats_(model.graph.values().size()) {}

int Exporter::surplus_transposes() {
  const auto& nodes = writer_.graph().node();
  return static_cast<int>(std::count_if(nodes.begin(), nodes.end(), [](const auto& node) { return node.op_type() == "Transpose"; })) - own_transposes_;
}

std::vector<std::byte> Exporter::run() {
  check_size();
  for (ValueId v : graph_.inputs) describe_value(v, writer_.graph().add_input());
  for (const Node& node : graph_.nodes()) add_node(node);
  for (ValueId v : graph_.outputs) describe_value(v, writer_.graph().add_output());
  writer_.graph().set_name(model_.name.empty() ? "main" : model_.name);
  write_contract(model_, writer_.model());
  std::vector<std::byte> bytes(writer_.model().ByteSizeLong());
  KINGLET_CHECK(writer_.model().SerializeToArray(bytes.data(), static_cast<int>(bytes.size())));
  return bytes;
}

void Exporter::check_size() const {
  uint64_t total = 0;
  for (const Value& value : graph_.values())
    if (value.constant) total += value.constant->size_bytes();
  if (total > kMaxConstantBytes) throw Error(model_.name, fmt::format("has {} bytes of constants; an .onnx file ends below 2 GiB", total));
}

void Exporter::describe_value(ValueId v, pb::ValueInfoProto* info) {
  const Value& value = graph_.value(v);
  info->set_name(writer_.name(v));
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(elem_type_of(value.dtype));
  const Shape shape = permuted(value.shape, order_of(value.shape));
  for (int i = 0; i < shape.rank(); ++i) {
    auto* dim = type->mutable_shape()->add_dim();
    if (i == 0) dim->set_dim_param("N");
    else dim->set_dim_value(shape[i]);
  }
}

std::string Exporter::activation(ValueId v) {
  std::string& known = floats_[static_cast<size_t>(v)];
  if (!known.empty()) return known;
  const Value& value = graph_.value(v);
  if (!is_bytes(value.dtype)) return known = writer_.name(v);
  known = writer_.fresh_name(writer_.name(v) + "/float");
  writer_.dequantize(writer_.name(v), value.quant, value.dtype, 1, known);
  return known;
}

std::string Exporter::constant(ValueId v, const Tensor& tensor, int axis, const std::string& variant, graph::QuantParams quant) {
  const std::string key = fmt::format("{} {}", v, variant);
  if (auto it = constants_.find(key); it != constants_.end()) return it->second;
  const std::string integers = next_name(v, tensor);
  if (tensor.dtype() == DType::f32) return constants_[key] = integers;
  const std::string made = writer_.fresh_name(integers + "/float");
  writer_.dequantize(integers, quant, tensor.dtype(), axis, made);
  return constants_[key] = made;
}

std::string Exporter::next_name(ValueId v, const Tensor& tensor) {
  if (!written_.insert(v).second) return writer_.initializer(writer_.name(v), tensor);
  auto* proto = writer_.graph().add_initializer();
  proto->set_name(writer_.name(v));
  proto->set_data_type(elem_type_of(tensor.dtype()));
  for (int64_t dim : tensor.shape().dims()) proto->add_dims(dim);
  proto->set_raw_data(tensor.bytes().data(), tensor.size_bytes());
  return proto->name();
}

const Tensor& Exporter::weights_of(const Node& node, size_t i) const {
  if (!in(node, i).constant) ops::refuse(node, fmt::format("takes '{}' as weights, which is no constant", in(node, i).name));
  return *in(node, i).constant;
}

std::string Exporter::weights(const Node& node, const Order& order) {
  return constant(node.inputs[1], permuted(weights_of(node, 1), order), 0, fmt::format("{}", fmt::join(order, "")), in(node, 1).quant);
}

std::string Exporter::bias(const Node& node) {
  const Tensor flat = weights_of(node, 2).reshaped(Shape{weights_of(node, 2).elements()});
  graph::QuantParams quant = in(node, 2).quant;
  if (flat.dtype() == DType::s32) {
    const float scale = in(node, 0).quant.scale.at(0);
    const auto& w = in(node, 1).quant;
    quant = {};
    for (float s : w.scale) quant.scale.push_back(scale * s);
    quant.zero_point.assign(quant.scale.size(), 0);
    quant.axis = w.per_channel() ? 0 : -1;
  }
  std::string key;
  for (float s : quant.scale) key += fmt::format(" {:a}", s);
  return constant(node.inputs[2], flat, 0, "bias" + key, quant);
}

void Exporter::add_node(const Node& node) {
  if (node.op == OpKind::Dequantize) return writer_.dequantize(writer_.name(node.inputs[0]), in(node, 0).quant, in(node, 0).dtype, 1, writer_.name(node.outputs[0]));
  const std::string target = writer_.name(node.outputs[0]);
  if (node.op == OpKind::Quantize) return writer_.quantize(activation(node.inputs[0]), out(node).quant, out(node).dtype, target);
  const bool integer = is_bytes(out(node).dtype);
  const std::string real = integer ? writer_.fresh_name(target + "/real") : target;
  const auto fused = ops::fused_activation(node);
  const std::string raw = fused == graph::Activation::none ? real : writer_.fresh_name(target + "/raw");
  add_arithmetic(node, raw);
  if (fused != graph::Activation::none) add_activation(fused, raw, real);
  if (integer) writer_.quantize(real, out(node).quant, out(node).dtype, target);
}

void Exporter::add_activation(graph::Activation activation, const std::string& from, const std::string& to) {
  if (activation == graph::Activation::relu) writer_.node("Relu", {from}, to);
  else writer_.node("Clip", {from, number("zero", 0), number("six", 6)}, to);
}

std::string Exporter::number(const std::string& name, float value) {
  const std::string key = fmt::format("number {}", value);
  auto it = constants_.find(key);
  return it != constants_.end() ? it->second : constants_[key] = writer_.initializer(name, Tensor::scalar<float>(value));
}

void Exporter::add_arithmetic(const Node& node, const std::string& to) {
  switch (node.op) {
    case OpKind::Conv2d:
    case OpKind::DepthwiseConv2d:
      return add_conv(node, to);
    case OpKind::FullyConnected:
      return add_fully_connected(node, to);
    case OpKind::Add:
      return add_binary(node, "Add", to);
    case OpKind::Mul:
      return add_binary(node, "Mul", to);
    case OpKind::AveragePool2d:
      return add_pool(node, "AveragePool", to);
    case OpKind::MaxPool2d:
      return add_pool(node, "MaxPool", to);
    case OpKind::Mean:
      return add_mean(node, to);
    case OpKind::Reshape:
      return add_reshape(node, to);
    case OpKind::Pad:
      return add_pad(node, to);
    case OpKind::Softmax:
      return add_softmax(node, to);
    case OpKind::Logistic:
      return void(writer_.node("Sigmoid", {activation(node.inputs[0])}, to));
    case OpKind::Relu:
      return add_activation(graph::Activation::relu, activation(node.inputs[0]), to);
    case OpKind::Relu6:
      return add_activation(graph::Activation::relu6, activation(node.inputs[0]), to);
    case OpKind::BatchNorm:
      return add_batch_norm(node, to);
    case OpKind::Dropout:
      return void(writer_.node("Dropout", {activation(node.inputs[0]), number("rate", node.as<graph::DropoutAttrs>().rate)}, to));
    case OpKind::HardSwish:
      return add_hard_swish(node, to);
    case OpKind::Transpose:
      return add_transpose(node, to);
    case OpKind::Concatenation:
      return add_concatenation(node, to);
    case OpKind::StridedSlice:
      return add_strided_slice(node, to);
    case OpKind::ResizeNearest:
      return add_resize_nearest(node, to);
    case OpKind::ArgMax:
      return add_arg_max(node, to);
    case OpKind::FakeQuantize:
      ops::refuse(node, "cannot be written to ONNX", "convert the model to int8 first");
    case OpKind::Opaque:
      ops::refuse(node, "is the operator " + graph::describe(node.as<graph::OpaqueAttrs>()) + ", which Kinglet does not run, and cannot be written");
    case OpKind::Quantize:
    case OpKind::Dequantize:
      break;
  }
  KINGLET_CHECK(false);
}

std::vector<std::byte> export_model(const graph::Model& model, int* surplus_transposes) {
  ops::verify(model.graph, model.name.empty() ? "model" : model.name);
  Exporter exporter(model);
  auto bytes = exporter.run();
  if (surplus_transposes) *surplus_transposes = exporter.surplus_transposes();
  return bytes;
}

}  // namespace kinglet::formats::onnx
