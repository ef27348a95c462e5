#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/error.h"
#include "formats/tflite/contract.h"
#include "formats/tflite/export_operators.h"
#include "formats/tflite/legacy.h"
#include "formats/tflite/metadata.h"
#include "formats/tflite/tflite.h"
#include "formats/tflite/zip.h"
#include "ops/geometry.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::formats::tflite {

namespace {

using graph::Node;
using graph::OpKind;
using graph::PaddingMode;
using graph::Value;
using graph::ValueId;

constexpr size_t kBufferAlignment = 16;
constexpr uint64_t kMaxConstantBytes = uint64_t{1900} << 20;
constexpr const char* kLabelFile = "labels.txt";

fb::TensorType type_code(const Value& value, const std::string& model) {
  switch (value.dtype) {
    case DType::f32:
      return fb::TensorType::FLOAT32;
    case DType::s8:
      return fb::TensorType::INT8;
    case DType::u8:
      return fb::TensorType::UINT8;
    case DType::s16:
      return fb::TensorType::INT16;
    case DType::s32:
      return fb::TensorType::INT32;
    case DType::s64:
      return fb::TensorType::INT64;
    case DType::boolean:
      return fb::TensorType::BOOL;
  }
  throw Error(model, fmt::format("value '{}' has a type that TensorFlow Lite does not know", value.name));
}

bool has_window(OpKind op) {
  return op == OpKind::Conv2d || op == OpKind::DepthwiseConv2d || op == OpKind::AveragePool2d || op == OpKind::MaxPool2d;
}

graph::Padding padding_of(const Node& node) {
  if (node.op == OpKind::Conv2d) return node.as<graph::Conv2dAttrs>().padding;
  if (node.op == OpKind::DepthwiseConv2d) return node.as<graph::DepthwiseConv2dAttrs>().padding;
  return node.as<graph::Pool2dAttrs>().padding;
}

/// valid or same if that gives exactly the node's padding, else explicit_.
PaddingMode simplest_padding(const graph::Graph& graph, const Node& node) {
  const auto given = padding_of(node);
  if (given.mode != PaddingMode::explicit_) return given.mode;
  const ops::Window w = ops::node_window(graph, node);
  if (w.pad_top == 0 && w.pad_bottom == 0 && w.pad_left == 0 && w.pad_right == 0) return PaddingMode::valid;
  const ops::Window same = ops::resolve_window(w.in_h, w.in_w, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w,
                                               {.mode = PaddingMode::same});
  const bool equal = same.pad_top == w.pad_top && same.pad_bottom == w.pad_bottom && same.pad_left == w.pad_left &&
                     same.pad_right == w.pad_right && same.out_h == w.out_h && same.out_w == w.out_w;
  return equal ? PaddingMode::same : PaddingMode::explicit_;
}

class Exporter {
 public:
  explicit Exporter(const graph::Model& model) : model_(model), graph_(model.graph), tensor_of_(model.graph.values().size(), graph::kNone) {
    for (const Value& value : graph_.values()) names_.insert(value.name);
    buffers_.push_back(fb::CreateBuffer(b_));
  }

  std::vector<std::byte> run() {
    check_size();
    for (ValueId v : graph_.inputs) tensor(v);
    for (const Node& node : graph_.nodes()) add_node(node);
    return finish();
  }

 private:
  void check_size() const {
    uint64_t total = 0;
    for (const Value& value : graph_.values())
      if (value.constant) total += value.constant->size_bytes();
    if (total > kMaxConstantBytes)
      throw Error(model_.name, fmt::format("has {} bytes of constants; a .tflite file ends below 2 GiB", total));
  }

  uint32_t add_buffer(std::span<const std::byte> bytes) {
    b_.ForceVectorAlignment(bytes.size(), sizeof(uint8_t), kBufferAlignment);
    const auto data = b_.CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    buffers_.push_back(fb::CreateBuffer(b_, data));
    return static_cast<uint32_t>(buffers_.size()) - 1;
  }

  /// Constants that share their bytes share a buffer of the file too.
  uint32_t constant_buffer(const Tensor& tensor) {
    if (tensor.bytes().empty()) return 0;
    const std::pair key{tensor.bytes().data(), tensor.size_bytes()};
    auto it = constant_buffers_.find(key);
    return it != constant_buffers_.end() ? it->second : constant_buffers_[key] = add_buffer(tensor.bytes());
  }

  flatbuffers::Offset<fb::QuantizationParameters> add_quantization(const graph::QuantParams& quant) {
    if (quant.empty()) return 0;
    const std::vector<int64_t> zero_points(quant.zero_point.begin(), quant.zero_point.end());
    return fb::CreateQuantizationParametersDirect(b_, nullptr, nullptr, &quant.scale, &zero_points, 0, 0, std::max(quant.axis, 0));
  }

  int32_t add_tensor(const std::string& name, const Value& value) {
    const auto quant = add_quantization(value.quant);
    std::vector<int32_t> shape(value.shape.dims().begin(), value.shape.dims().end());
    const uint32_t buffer = value.constant ? constant_buffer(*value.constant) : 0;
    tensors_.push_back(fb::CreateTensorDirect(b_, &shape, type_code(value, model_.name), buffer, name.c_str(), quant));
    return static_cast<int32_t>(tensors_.size()) - 1;
  }

  int32_t tensor(ValueId v) {
    if (v == graph::kNone) return graph::kNone;
    int32_t& index = tensor_of_[static_cast<size_t>(v)];
    if (index == graph::kNone) index = add_tensor(graph_.value(v).name, graph_.value(v));
    return index;
  }

  std::string fresh_name(const std::string& base) {
    std::string name = base;
    for (int i = 1; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
    return name;
  }

  int32_t add_integers(const std::string& name, Shape shape, const std::vector<int32_t>& numbers) {
    Value value;
    value.dtype = DType::s32;
    value.shape = shape;
    value.constant = Tensor::of<int32_t>(std::move(shape), numbers);
    kept_.push_back(*value.constant);  // its address is a key of constant_buffers_
    return add_tensor(fresh_name(name), value);
  }

  int32_t add_paddings(const Node& node, const graph::PadAttrs& pad) {
    std::vector<int32_t> pairs;
    for (size_t i = 0; i < pad.before.size(); ++i) pairs.insert(pairs.end(), {pad.before[i], pad.after[i]});
    return add_integers(node.name + "/paddings", Shape{static_cast<int64_t>(pad.before.size()), 2}, pairs);
  }

  int32_t add_list(const std::string& name, const std::vector<int>& numbers) {
    return add_integers(name, Shape{static_cast<int64_t>(numbers.size())}, {numbers.begin(), numbers.end()});
  }

  /// Shapes, axes and paddings are tensors in the file.
  void add_operands(const Node& node, std::vector<int32_t>& inputs) {
    if (node.op == OpKind::Transpose) inputs.push_back(add_list(node.name + "/perm", node.as<graph::TransposeAttrs>().perm));
    if (node.op == OpKind::StridedSlice) {
      const auto& a = node.as<graph::StridedSliceAttrs>();
      inputs.insert(inputs.end(), {add_list(node.name + "/begin", a.begin), add_list(node.name + "/end", a.end), add_list(node.name + "/strides", a.stride)});
    }
    if (node.op == OpKind::ResizeNearest) {
      const auto& a = node.as<graph::ResizeNearestAttrs>();
      inputs.push_back(add_list(node.name + "/size", {a.out_h, a.out_w}));
    }
    if (node.op == OpKind::ArgMax) inputs.push_back(add_integers(node.name + "/axis", Shape{}, {node.as<graph::ArgMaxAttrs>().axis}));
    if (node.op == OpKind::Pad) inputs.push_back(add_paddings(node, node.as<graph::PadAttrs>()));
    if (node.op == OpKind::Mean) {
      const auto& axes = node.as<graph::MeanAttrs>().axes;
      inputs.push_back(add_integers(node.name + "/axes", Shape{static_cast<int64_t>(axes.size())}, {axes.begin(), axes.end()}));
    }
    if (node.op == OpKind::Reshape) {
      std::vector<int32_t> shape{-1};
      for (int64_t dim : node.as<graph::ReshapeAttrs>().shape) shape.push_back(static_cast<int32_t>(dim));
      inputs.push_back(add_integers(node.name + "/shape", Shape{static_cast<int64_t>(shape.size())}, shape));
    }
  }

  static bool has_weights(OpKind op) { return op == OpKind::Conv2d || op == OpKind::DepthwiseConv2d || op == OpKind::FullyConnected; }

  /// TensorFlow Lite's convolutions want a bias: zeros where the graph has none.
  Value zero_bias(const Node& node) {
    const Value& y = graph_.value(node.outputs[0]);
    Value bias;
    bias.name = fresh_name(node.name + "/bias");
    bias.dtype = y.dtype == DType::f32 ? DType::f32 : DType::s32;
    bias.shape = Shape{y.shape.back()};
    bias.constant = Tensor(bias.dtype, bias.shape);
    kept_.push_back(*bias.constant);
    return bias;
  }

  int32_t bias_tensor(const Node& node) {
    const bool absent = node.inputs.size() < 3 || node.inputs[2] == graph::kNone;
    Value bias = absent ? zero_bias(node) : graph_.value(node.inputs[2]);
    const Value &x = graph_.value(node.inputs[0]), &w = graph_.value(node.inputs[1]);
    const bool complete = bias.dtype != DType::s32 || !bias.quant.empty() || x.quant.empty() || w.quant.empty();
    if (complete) return absent ? add_tensor(bias.name, bias) : tensor(node.inputs[2]);
    // Interpreters compare a bias's scale with input scale times weight scale.
    for (float scale : w.quant.scale) bias.quant.scale.push_back(x.quant.scale[0] * scale);
    bias.quant.zero_point.assign(bias.quant.scale.size(), 0);
    bias.quant.axis = w.quant.per_channel() ? 0 : -1;
    return add_tensor(bias.name, bias);
  }

  std::vector<int32_t> input_tensors(const Node& node) {
    std::vector<int32_t> inputs;
    if (has_weights(node.op)) return {tensor(node.inputs[0]), tensor(node.inputs[1]), bias_tensor(node)};
    for (ValueId v : node.inputs) inputs.push_back(tensor(v));
    return inputs;
  }

  uint32_t operator_code(fb::BuiltinOperator code, int version) {
    const auto [it, fresh] = codes_.try_emplace({code, version}, static_cast<uint32_t>(code_offsets_.size()));
    const auto old_code = static_cast<int8_t>(std::min(code, fb::BuiltinOperator::PLACEHOLDER_FOR_GREATER_OP_CODES));
    if (fresh) code_offsets_.push_back(fb::CreateOperatorCode(b_, old_code, 0, version, code));
    return it->second;
  }

  void add_operator(const Lowered& lowered, const std::vector<int32_t>& inputs, const std::vector<int32_t>& outputs) {
    operators_.push_back(
        fb::CreateOperatorDirect(b_, operator_code(lowered.code, lowered.version), &inputs, &outputs, lowered.type, lowered.options));
  }

  /// before: y = conv(x) padding=explicit    after: p = PAD(x); y = conv(p) padding=valid
  int32_t add_explicit_padding(const Node& node) {
    const Value& x = graph_.value(node.inputs[0]);
    const ops::Window w = ops::node_window(graph_, node);
    Node pad;
    pad.op = OpKind::Pad;
    pad.name = node.name + "/pad";
    pad.inputs = {node.inputs[0]};
    pad.attrs = graph::PadAttrs{{0, w.pad_top, w.pad_left, 0}, {0, w.pad_bottom, w.pad_right, 0}};
    Value padded = x;
    padded.shape = Shape{x.shape[0], w.in_h + w.pad_top + w.pad_bottom, w.in_w + w.pad_left + w.pad_right, x.shape[3]};
    const int32_t out = add_tensor(fresh_name(pad.name), padded);
    std::vector<int32_t> inputs{tensor(node.inputs[0])};
    add_operands(pad, inputs);
    add_operator(lower(b_, graph_, pad, PaddingMode::valid), inputs, {out});
    return out;
  }

  void add_node(const Node& node) {
    PaddingMode padding = has_window(node.op) ? simplest_padding(graph_, node) : PaddingMode::valid;
    const bool split = padding == PaddingMode::explicit_;
    if (split && (node.op == OpKind::AveragePool2d || node.op == OpKind::MaxPool2d))
      ops::refuse(node, "pads in a way that TensorFlow Lite's pools cannot say (neither SAME nor VALID)",
                  "pad before the pool, or use SAME");
    const Lowered lowered = lower(b_, graph_, node, split ? PaddingMode::valid : padding);
    std::vector<int32_t> inputs = input_tensors(node);
    if (split) inputs[0] = add_explicit_padding(node);
    add_operands(node, inputs);
    std::vector<int32_t> outputs;
    for (ValueId v : node.outputs) outputs.push_back(tensor(v));
    add_operator(lowered, inputs, outputs);
  }

  flatbuffers::Offset<fb::Metadata> add_metadata(const char* name, std::span<const std::byte> bytes) {
    return fb::CreateMetadataDirect(b_, name, add_buffer(bytes));
  }

  std::vector<std::byte> finish() {
    const bool labelled = !model_.labels.empty();
    const std::string contract = contract_text(model_);
    const std::vector metadata{add_metadata(kMetadataName, build_metadata(model_, labelled ? kLabelFile : "")),
                               add_metadata(kContractName, std::as_bytes(std::span(contract)))};
    std::vector<int32_t> inputs, outputs;
    for (ValueId v : graph_.inputs) inputs.push_back(tensor(v));
    for (ValueId v : graph_.outputs) outputs.push_back(tensor(v));
    const std::vector graphs{fb::CreateSubGraphDirect(b_, &tensors_, &inputs, &outputs, &operators_, "main")};
    const auto root = fb::CreateModelDirect(b_, 3, &code_offsets_, &graphs, "Kinglet " KINGLET_VERSION, &buffers_, nullptr, &metadata);
    fb::FinishModelBuffer(b_, root);
    const auto bytes = std::as_bytes(std::span(b_.GetBufferPointer(), b_.GetSize()));
    std::vector<std::byte> file(bytes.begin(), bytes.end());
    if (labelled) append_labels(file);
    return file;
  }

  void append_labels(std::vector<std::byte>& file) const {
    std::string text;
    for (const std::string& label : model_.labels) text += label + '\n';
    const auto raw = std::as_bytes(std::span(text));
    const ZipEntry entry{kLabelFile, {raw.begin(), raw.end()}};
    const auto zip = zip_to_append(std::span(&entry, 1), file.size());
    file.insert(file.end(), zip.begin(), zip.end());
  }

  const graph::Model& model_;
  const graph::Graph& graph_;
  flatbuffers::FlatBufferBuilder b_{size_t{1} << 16};
  std::vector<flatbuffers::Offset<fb::Buffer>> buffers_;
  std::vector<flatbuffers::Offset<fb::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<fb::Operator>> operators_;
  std::vector<flatbuffers::Offset<fb::OperatorCode>> code_offsets_;
  std::map<std::pair<fb::BuiltinOperator, int>, uint32_t> codes_;
  std::map<std::pair<const std::byte*, size_t>, uint32_t> constant_buffers_;
  std::vector<int32_t> tensor_of_;  ///< by value
  std::vector<Tensor> kept_;
  std::unordered_set<std::string> names_;
};

}  // namespace

std::vector<std::byte> export_model(const graph::Model& model) {
  ops::verify(model.graph, model.name.empty() ? "model" : model.name);
  if (!has_legacy_nodes(model.graph)) return Exporter(model).run();
  graph::Model restored = model;
  restored.graph = restore_legacy_uint8(model.graph);
  ops::verify(restored.graph, model.name.empty() ? "model" : model.name);
  return Exporter(restored).run();
}

}  // namespace kinglet::formats::tflite
