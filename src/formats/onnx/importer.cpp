#include "formats/onnx/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "formats/onnx/contract.h"
#include "formats/onnx/onnx.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::formats::onnx {

using graph::Node;
using graph::OpKind;
using graph::ValueId;

const pb::AttributeProto* Source::attribute(std::string_view name) const {
  for (const auto& attribute : node.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

int64_t Source::integer(std::string_view name, int64_t fallback) const {
  const auto* a = attribute(name);
  return a ? a->i() : fallback;
}

float Source::real(std::string_view name, float fallback) const {
  const auto* a = attribute(name);
  return a ? a->f() : fallback;
}

std::string Source::text(std::string_view name, const std::string& fallback) const {
  const auto* a = attribute(name);
  return a ? clean_text(a->s()) : fallback;
}

std::vector<int64_t> Source::integers(std::string_view name) const {
  const auto* a = attribute(name);
  return a ? std::vector<int64_t>(a->ints().begin(), a->ints().end()) : std::vector<int64_t>();
}

void Importer::run() {
  count_uses();
  add_initializers();
  for (const auto& info : file_.graph().input())
    if (!entries_.count(info.name())) add_input(info);
  int index = 0;
  for (const auto& node : file_.graph().node()) add_node(node, index++);
  if (file_.graph().output().empty()) throw Error(file_.where(), "has no outputs");
  for (const auto& info : file_.graph().output()) add_output(info);
  fuse_activations(graph_);
  fuse_quantization(graph_, integers_);
}

bool Importer::batch_is_free() const {
  if (graph_.inputs.empty()) return false;
  for (const auto& info : file_.graph().input())
    if (auto it = entries_.find(info.name()); it != entries_.end() && it->second.id == graph_.inputs[0])
      return info.type().tensor_type().shape().dim_size() > 0 && info.type().tensor_type().shape().dim(0).dim_value() <= 0;
  return false;
}

void Importer::add_initializers() {
  if (file_.graph().sparse_initializer_size() > 0) throw Error(file_.where(), "holds sparse tensors, which are not supported");
  for (const auto& proto : file_.graph().initializer()) {
    Entry entry;
    entry.tensor = file_.tensor(proto, fmt::format("{}: initializer '{}'", file_.where(), clean_text(proto.name())));
    if (!entries_.emplace(proto.name(), std::move(entry)).second)
      throw Error(file_.where(), fmt::format("has two initializers named '{}'", clean_text(proto.name())), "the file is damaged");
  }
}

std::string Importer::unique_name(const std::string& wish) {
  const std::string base = wish.empty() ? "value" : clean_text(wish);
  std::string name = base;
  while (!names_.emplace(name, 0).second) name = fmt::format("{}_{}", base, ++names_[base]);
  return name;
}

/// Dimensions with an unknown or symbolic one in place 0 made 1.
Shape Importer::declared_shape(const pb::ValueInfoProto& info, const std::string& user) const {
  const auto& dims = info.type().tensor_type().shape().dim();
  if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape()) throw Error(user, "has no shape");
  std::vector<int64_t> sizes;
  for (const auto& dim : dims) {
    const bool known = dim.has_dim_value() && dim.dim_value() > 0;
    if (!known && !sizes.empty()) throw Error(user, fmt::format("has no fixed size in dimension {}", sizes.size()), "export the model with a fixed input size");
    sizes.push_back(known ? dim.dim_value() : 1);
  }
  if (sizes.size() > Shape::kMaxRank) throw Error(user, fmt::format("has {} dimensions; {} are supported", sizes.size(), Shape::kMaxRank));
  const Shape shape(sizes);
  if (shape.elements() >= int64_t{1} << 31) throw Error(user, "is impossibly large: " + shape.str());
  return shape;
}

/// Converters from NHWC tools put a Transpose to NCHW behind the input (a Reshape where there is one channel), before or after
/// what works element by element. Without one, sizes tell: 1 or 3 in the last place and not in the second are channels, unless
/// the picture is square in NCHW or an operator that is NCHW by definition reads it. Our own files are NCHW.
bool Importer::starts_nhwc(const std::string& input, const Shape& shape) const {
  static const std::unordered_set<std::string> kKeepsAxes{"QuantizeLinear", "DequantizeLinear", "Identity", "Cast", "Sub",  "Div",     "Mul",   "Add",
                                                          "Relu",           "Clip",             "Sigmoid",  "HardSigmoid", "HardSwish", "Pad", "Slice"};
  static const std::unordered_set<std::string> kIsNchw{"Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization", "Resize", "Upsample"};
  if (file_.metadata(kContractKey)) return false;
  const auto channels = [&](int axis) { return shape[axis] == 1 || shape[axis] == 3; };
  const bool by_size = channels(3) && !channels(1) && shape[2] != shape[3];
  std::unordered_set<std::string> same{input};
  for (const auto& node : file_.graph().node()) {
    if (node.input_size() == 0 || node.output_size() == 0 || !same.count(node.input(0))) continue;
    if (node.op_type() == "Transpose") return Source(node, "").integers("perm") == std::vector<int64_t>{0, 3, 1, 2};
    if (kIsNchw.count(node.op_type())) return false;
    if (kKeepsAxes.count(node.op_type())) same.insert(node.output(0));
  }
  return by_size;
}

void Importer::add_input(const pb::ValueInfoProto& info) {
  const std::string user = fmt::format("{}: input '{}'", file_.where(), clean_text(info.name()));
  const Shape shape = declared_shape(info, user);
  if (shape.rank() == 0) throw Error(user, "has no dimension for pictures");
  if (shape[0] != 1) throw Error(user, fmt::format("takes {} pictures at once ({}); 1 or a free dimension is supported", shape[0], shape.str()));
  Entry entry;
  entry.order = shape.rank() == 4 && !starts_nhwc(info.name(), shape) ? kNhwc : identity(shape.rank());
  graph::Value value;
  value.name = unique_name(info.name());
  value.dtype = dtype_of(info.type().tensor_type().elem_type(), user);
  value.shape = permuted(shape, entry.order);
  entry.id = graph_.add_value(std::move(value));
  graph_.inputs.push_back(entry.id);
  if (!entries_.emplace(info.name(), std::move(entry)).second) throw Error(user, "is declared twice", "the file is damaged");
}

void Importer::add_output(const pb::ValueInfoProto& info) {
  const std::string user = fmt::format("{}: output '{}'", file_.where(), clean_text(info.name()));
  auto it = entries_.find(info.name());
  if (it == entries_.end()) throw Error(user, "is made by no node", "the file is damaged");
  const Entry& entry = it->second;
  if (entry.tensor) throw Error(user, "is a constant");
  const pb::NodeProto none;
  const Source source(none, user);
  // Pictures go out as NHWC, whether the file ends in NCHW or in NHWC itself.
  const bool picture = entry.order.size() == 4 && entry.order != identity(4);
  ValueId v = in_order(source, entry, picture ? kNhwc : identity(static_cast<int>(entry.order.size())));
  const auto& made = graph_.value(v);
  if (made.dtype == DType::s8 && info.type().tensor_type().elem_type() == pb::TensorProto::UINT8) {  // it came in moved by 128
    graph::QuantParams quant = made.quant;
    for (int32_t& zero : quant.zero_point) zero += 128;
    v = emit(source, OpKind::Quantize, graph::NoAttrs{}, {v}, identity(made.shape.rank()), DType::u8, quant, info.name() + "/uint8").id;
  }
  graph_.outputs.push_back(v);
}

const Entry& Importer::input(const Source& source, int i) {
  if (!source.has_input(i)) throw Error(source.where, fmt::format("lacks input {}", i), "the file is damaged");
  auto it = entries_.find(source.node.input(i));
  if (it == entries_.end())
    throw Error(source.where, fmt::format("reads '{}', which nothing before it makes", clean_text(source.node.input(i))), "the file is damaged");
  return it->second;
}

const Entry& Importer::float_constant(const Source& source, int i) {
  const Entry& entry = input(source, i);
  if (!entry.tensor || (entry.quant.empty() && entry.tensor->dtype() != DType::f32)) throw Unknown{fmt::format("input {} is no constant of float32", i)};
  return entry;
}

std::vector<int64_t> Importer::integer_constant(const Source& source, int i) {
  const Entry& entry = input(source, i);
  if (!entry.tensor || !entry.quant.empty()) throw Unknown{fmt::format("input {} is no constant", i)};
  const Tensor& t = *entry.tensor;
  if (t.elements() > 64) throw Error(source.where, fmt::format("has {} numbers in input {}", t.elements(), i));
  if (t.dtype() == DType::s64) return {t.data<int64_t>().begin(), t.data<int64_t>().end()};
  if (t.dtype() == DType::s32) return {t.data<int32_t>().begin(), t.data<int32_t>().end()};
  throw Unknown{fmt::format("input {} holds no integers", i)};
}

std::optional<float> Importer::scalar(const Source& source, int i) {
  if (!source.has_input(i)) return std::nullopt;
  const Entry& entry = input(source, i);
  if (!entry.tensor || entry.tensor->dtype() != DType::f32 || entry.tensor->elements() != 1) throw Unknown{fmt::format("input {} is no single number", i)};
  return entry.tensor->data<float>()[0];
}

Shape Importer::onnx_shape(const Entry& entry) const { return permuted(graph_.value(entry.id).shape, inverse(entry.order)); }

ValueId Importer::in_order(const Source& source, const Entry& entry, const Order& order) {
  if (entry.tensor) throw Unknown{"its input is a constant"};
  if (entry.unflattened) return in_order(source, settled(source, entry), order);
  if (entry.order.size() != order.size()) throw Unknown{fmt::format("its input has {} dimensions", entry.order.size())};
  if (entry.order == order) return entry.id;
  const Shape shape = onnx_shape(entry);
  const auto value = graph_.value(entry.id);
  if (same_sequence(shape, entry.order, order)) {
    const Shape target = permuted(shape, order);
    return emit(source, OpKind::Reshape, graph::ReshapeAttrs{{target.dims().begin() + 1, target.dims().end()}}, {entry.id}, order, value.dtype, value.quant,
                value.name + "/reshaped")
        .id;
  }
  graph::TransposeAttrs attrs;
  for (int axis : order) attrs.perm.push_back(inverse(entry.order)[static_cast<size_t>(axis)]);
  return emit(source, OpKind::Transpose, attrs, {entry.id}, order, value.dtype, value.quant, value.name + "/transposed").id;
}

Entry Importer::settled(const Source& source, const Entry& entry) {
  if (!entry.unflattened) return entry;
  const Shape& chw = *entry.unflattened;
  const auto value = graph_.value(entry.id);
  auto step = [&](OpKind op, graph::Attrs attrs, ValueId x, Order order) {
    return emit(source, op, std::move(attrs), {x}, std::move(order), value.dtype, value.quant, value.name + "/settled");
  };
  const Entry picture = step(OpKind::Reshape, graph::ReshapeAttrs{{chw[1], chw[2], chw[0]}}, entry.id, kNhwc);
  const Entry turned = step(OpKind::Transpose, graph::TransposeAttrs{kNchw}, picture.id, identity(4));
  return step(OpKind::Reshape, graph::ReshapeAttrs{{chw.elements()}}, turned.id, identity(2));
}

ValueId Importer::number(float value) {
  const std::string key = fmt::format("number {:a}", value);
  if (auto it = constants_.find(key); it != constants_.end()) return it->second;
  return constants_[key] = graph_.add_constant(unique_name(fmt::format("number_{:.4g}", value)), Tensor::of<float>(Shape{1}, std::vector<float>{value}));
}

ValueId Importer::hard_sigmoid_of(ValueId v) const {
  const auto it = hard_sigmoids_.find(v);
  return it == hard_sigmoids_.end() ? graph::kNone : it->second;
}

namespace {

Tensor dequantized(const Tensor& tensor, const graph::QuantParams& quant) {
  Tensor out(DType::f32, tensor.shape());
  int64_t inner = 1;
  for (int axis = quant.axis + 1; quant.axis >= 0 && axis < tensor.shape().rank(); ++axis) inner *= tensor.shape()[axis];
  auto y = out.mutable_data<float>();
  auto fill = [&](auto x) {
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t c = quant.axis < 0 ? 0 : i / static_cast<size_t>(inner) % quant.scale.size();
      y[i] = static_cast<float>(int64_t{x[i]} - quant.zero_point[c]) * quant.scale[c];
    }
  };
  if (tensor.dtype() == DType::s8) fill(tensor.data<int8_t>());
  if (tensor.dtype() == DType::u8) fill(tensor.data<uint8_t>());
  if (tensor.dtype() == DType::s32) fill(tensor.data<int32_t>());
  return out;
}

}  // namespace

ValueId Importer::constant(const Source& source, int i, Change change, const std::vector<int64_t>& numbers, const Order& axis_map, bool trainable) {
  const std::string& name = source.node.input(i);
  const std::string key = fmt::format("{}\n{}{}", name, reinterpret_cast<uintptr_t>(change), fmt::join(numbers, ","));
  if (auto it = constants_.find(key); it != constants_.end()) return it->second;
  const Entry& entry = float_constant(source, i);
  if (entry.tensor->elements() == 0) throw Unknown{fmt::format("input {} is empty", i)};
  file_.spend(static_cast<uint64_t>(entry.tensor->elements()) * 5);
  const Tensor real = change(entry.quant.empty() ? *entry.tensor : dequantized(*entry.tensor, entry.quant), numbers);
  const ValueId id = graph_.add_constant(unique_name(name), real, trainable);
  if (!entry.quant.empty()) {
    auto quant = entry.quant;
    if (quant.axis >= 0) quant.axis = axis_map.at(static_cast<size_t>(quant.axis));
    integers_[id] = {change(*entry.tensor, numbers), quant, clean_text(entry.source)};
  }
  return constants_[key] = id;
}

Entry Importer::emit(const Source& source, OpKind op, graph::Attrs attrs, std::vector<ValueId> inputs, Order order, DType dtype, graph::QuantParams quant,
                     const std::string& name) {
  const std::string wish = !name.empty() ? name : source.node.output_size() > 0 ? source.node.output(0) : "value";
  graph::Value value;
  value.name = unique_name(wish);
  value.dtype = dtype;
  value.quant = std::move(quant);
  Node node;
  node.op = op;
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  node.name = value.name;
  node.origin = source.where;
  node.outputs = {graph_.add_value(std::move(value))};
  Entry entry;
  entry.id = node.outputs[0];
  entry.order = std::move(order);
  const auto type = ops::op_info(op).infer(graph_, node).at(0);
  graph_.value(entry.id).dtype = type.dtype;
  graph_.value(entry.id).shape = type.shape;
  if (op != OpKind::Quantize && type.dtype == DType::s8 && !node.inputs.empty() && was_moved(node.inputs[0])) note_moved(entry.id);
  graph_.add_node(std::move(node));
  return entry;
}

void Importer::define(const Source& source, int i, Entry entry) {
  if (i >= source.node.output_size() || source.node.output(i).empty()) throw Error(source.where, fmt::format("lacks output {}", i), "the file is damaged");
  const std::string& name = source.node.output(i);
  if (!entries_.emplace(name, std::move(entry)).second)
    throw Error(source.where, fmt::format("makes '{}', which something else made", clean_text(name)), "the file is damaged");
}

void Importer::add_node(const pb::NodeProto& node, int index) {
  const std::string label = node.name().empty() ? fmt::format("node {}", index) : "node " + clean_text(node.name());
  const Source source(node, fmt::format("{}: {} ({})", file_.where(), label, clean_text(node.op_type())));
  if (node.output_size() == 0) throw Error(source.where, "has no outputs", "the file is damaged");
  try {
    if (!node.domain().empty() && node.domain() != "ai.onnx") throw Unknown{"an operator of the domain " + clean_text(node.domain())};
    for (int i = 1; i < node.output_size(); ++i)
      if (use_count(node.output(i)) > 0 && node.op_type() != "Split") throw Unknown{fmt::format("output {} is used too", i)};
    map_operator(*this, source);
  } catch (const Unknown& unknown) {
    add_opaque(source, unknown.reason);
  }
}

void Importer::add_opaque(const Source& source, const std::string& reason) {
  Node node;
  node.op = OpKind::Opaque;
  node.attrs = graph::OpaqueAttrs{clean_text(source.node.op_type()), reason};
  node.origin = source.where;
  for (int i = 0; i < source.node.input_size(); ++i) {
    if (!source.has_input(i)) continue;
    const Entry& entry = input(source, i);
    node.inputs.push_back(entry.tensor ? graph_.add_constant(unique_name(source.node.input(i)), *entry.tensor) : entry.id);
  }
  auto info_of = [&](const std::string& name) -> const pb::ValueInfoProto* {
    for (const auto* list : {&file_.graph().value_info(), &file_.graph().output()})
      for (const auto& info : *list)
        if (info.name() == name) return &info;
    return nullptr;
  };
  for (int i = 0; i < source.node.output_size(); ++i) {
    if (source.node.output(i).empty()) continue;
    const auto* info = info_of(source.node.output(i));
    if (!info)
      throw Error(source.where, fmt::format("cannot be read ({}) and the file does not say the shape of what it makes", reason),
                  "run onnx.shape_inference on the file to inspect it all the same");
    const Shape shape = declared_shape(*info, source.where);
    Entry entry;
    entry.order = shape.rank() == 4 ? kNhwc : identity(shape.rank());
    graph::Value value;
    value.name = unique_name(source.node.output(i));
    value.dtype = dtype_of(info->type().tensor_type().elem_type(), source.where);
    value.shape = permuted(shape, entry.order);
    entry.id = graph_.add_value(std::move(value));
    node.outputs.push_back(entry.id);
    define(source, i, std::move(entry));
  }
  if (node.outputs.empty()) throw Error(source.where, "has no outputs", "the file is damaged");
  node.name = graph_.value(node.outputs[0]).name;
  graph_.add_node(std::move(node));
}

graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn) {
  File file(bytes, where);
  graph::Model model;
  model.name = clean_text(std::filesystem::path(where).stem().string());
  Importer(file, model.graph).run();
  ops::verify(model.graph, where);
  if (model.graph.inputs.empty()) throw Error(where, "has no inputs");
  read_contract(file, model, warn);
  return model;
}

}  // namespace kinglet::formats::onnx
