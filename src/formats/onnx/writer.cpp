#include "formats/onnx/writer.h"

#include <fmt/format.h>

namespace kinglet::formats::onnx {

namespace {

constexpr int kIrVersion = 8, kOpset = 13;

pb::AttributeProto& add_attribute(pb::NodeProto& node, const char* name, pb::AttributeProto::AttributeType type) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return *attribute;
}

Tensor zero_point_tensor(const graph::QuantParams& quant, DType dtype, const Shape& shape) {
  Tensor out(dtype, shape);
  for (size_t i = 0; i < quant.zero_point.size(); ++i) out.mutable_bytes()[i] = static_cast<std::byte>(quant.zero_point[i]);
  return out;
}

}  // namespace

Writer::Writer(const graph::Graph& graph) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("Kinglet");
  model_.set_producer_version(KINGLET_VERSION);
  auto* opset = model_.add_opset_import();
  opset->set_domain("");
  opset->set_version(kOpset);
  for (const auto& value : graph.values())
    if (!value.name.empty()) taken_.insert(value.name);
  for (const auto& value : graph.values()) names_.push_back(value.name.empty() ? fresh_name("value") : value.name);
}

std::string Writer::fresh_name(const std::string& wish) {
  std::string name = wish;
  for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wish, i);
  return name;
}

pb::NodeProto& Writer::node(const char* op, const std::vector<std::string>& inputs, const std::string& output) {
  auto* node = graph().add_node();
  node->set_op_type(op);
  node->set_name(output);
  for (const auto& input : inputs) node->add_input(input);
  node->add_output(output);
  return *node;
}

std::string Writer::initializer(const std::string& wish, const Tensor& tensor) {
  auto* proto = graph().add_initializer();
  proto->set_name(fresh_name(wish));
  proto->set_data_type(elem_type_of(tensor.dtype()));
  for (int64_t dim : tensor.shape().dims()) proto->add_dims(dim);
  proto->set_raw_data(tensor.bytes().data(), tensor.size_bytes());
  return proto->name();
}

std::string Writer::integers(const std::string& wish, const std::vector<int64_t>& values) {
  return initializer(wish, Tensor::of<int64_t>(Shape{static_cast<int64_t>(values.size())}, values));
}

std::vector<std::string> Writer::quantization(const std::string& wish, const graph::QuantParams& quant, DType dtype) {
  if (quant.empty()) throw Error(wish, "is of integers without a scale, which ONNX cannot say");
  std::string key = fmt::format("{} {} {}", dtype_name(dtype), quant.per_channel(), fmt::join(quant.zero_point, ","));
  key.append(reinterpret_cast<const char*>(quant.scale.data()), quant.scale.size() * sizeof(float));
  auto& names = quantizations_[key];
  if (!names.empty()) return names;
  const Shape shape = quant.per_channel() ? Shape{static_cast<int64_t>(quant.scale.size())} : Shape{};
  names = {initializer(wish + "/scale", Tensor::of<float>(shape, quant.scale))};
  if (dtype != DType::s32) names.push_back(initializer(wish + "/zero_point", zero_point_tensor(quant, dtype, shape)));
  return names;
}

void Writer::quantize(const std::string& from, const graph::QuantParams& quant, DType dtype, const std::string& to) {
  auto inputs = quantization(to, quant, dtype);
  inputs.insert(inputs.begin(), from);
  node("QuantizeLinear", inputs, to);
}

void Writer::dequantize(const std::string& from, const graph::QuantParams& quant, DType dtype, int axis, const std::string& to) {
  auto inputs = quantization(from, quant, dtype);
  inputs.insert(inputs.begin(), from);
  auto& made = node("DequantizeLinear", inputs, to);
  if (quant.per_channel()) set_integer(made, "axis", axis);
}

void set_integer(pb::NodeProto& node, const char* name, int64_t value) { add_attribute(node, name, pb::AttributeProto::INT).set_i(value); }

void set_text(pb::NodeProto& node, const char* name, const std::string& value) { add_attribute(node, name, pb::AttributeProto::STRING).set_s(value); }

void set_real(pb::NodeProto& node, const char* name, float value) { add_attribute(node, name, pb::AttributeProto::FLOAT).set_f(value); }

void set_integers(pb::NodeProto& node, const char* name, const std::vector<int64_t>& values) {
  auto& attribute = add_attribute(node, name, pb::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
}

}  // namespace kinglet::formats::onnx
