#include <fmt/format.h>

#include <filesystem>

#include "formats/tflite/contract.h"
#include "formats/tflite/file.h"
#include "formats/tflite/operators.h"
#include "formats/tflite/tflite.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::formats::tflite {

namespace {

using graph::Node;
using graph::OpKind;

/// Codes above 127 stand in the newer field alone, older files fill only the byte: the larger one counts.
fb::BuiltinOperator operator_code(const fb::OperatorCode& code) {
  const auto old_code = static_cast<fb::BuiltinOperator>(code.deprecated_builtin_code());
  return std::max(old_code, code.builtin_code());
}

std::string operator_name(const fb::OperatorCode& code) {
  if (operator_code(code) == fb::BuiltinOperator::CUSTOM && code.custom_code()) return clean_text(code.custom_code());
  const char* name = fb::EnumNameBuiltinOperator(operator_code(code));
  return *name ? name : fmt::format("operator code {}", static_cast<int>(operator_code(code)));
}

class Importer {
 public:
  Importer(File& file, graph::Graph& graph) : file_(file), graph_(graph), tensors_(file, graph) {}

  void run(const WarningCallback& warn) {
    for (int32_t index : *file_.graph().inputs()) add_input(index, warn);
    const auto* operators = file_.graph().operators();
    for (uint32_t i = 0; operators && i < operators->size(); ++i) add_operator(read_operator(*operators->Get(i), i));
    for (int32_t index : *file_.graph().outputs()) add_output(index);
    tensors_.report(warn);
  }

 private:
  void add_input(int32_t index, const WarningCallback& warn) {
    const std::string user = file_.where() + ": the graph's input list";
    const auto& tensor = tensors_.at(index, user);
    const auto v = tensors_.define(index, user);
    const Shape& shape = graph_.value(v).shape;
    if (shape.rank() > 0 && shape[0] != 1)
      throw Error(file_.where() + ": " + tensors_.label(index),
                  "takes " + std::to_string(shape[0]) + " pictures at once (" + shape.str() + "); 1 or -1 is supported");
    const auto* signature = tensor.shape_signature();
    for (uint32_t i = 1; warn && signature && i < signature->size(); ++i)
      if (signature->Get(i) < 0)
        warn(fmt::format("{}: input {} may change its size; taken as {}", file_.where(), tensors_.label(index), shape.batch_str()));
    graph_.inputs.push_back(v);
  }

  void add_output(int32_t index) {
    const std::string user = file_.where() + ": the graph's output list";
    graph_.outputs.push_back(tensors_.use(index, user));
  }

  Operator read_operator(const fb::Operator& op, uint32_t i) {
    const std::string place = fmt::format("{}: operator {}", file_.where(), i);
    const auto* codes = file_.model().operator_codes();
    if (!codes || op.opcode_index() >= codes->size())
      throw Error(place, fmt::format("names operator code {} of {}", op.opcode_index(), codes ? codes->size() : 0), "the file is damaged");
    const auto& code = *codes->Get(op.opcode_index());
    Operator source{op, operator_code(code), operator_name(code), {}, {}, {}};
    source.where = fmt::format("{} ({})", place, source.name);
    copy_indices(op.inputs(), source.inputs);
    copy_indices(op.outputs(), source.outputs);
    if (source.outputs.empty()) throw Error(source.where, "has no outputs", "the file is damaged");
    for (int32_t index : source.inputs)
      if (index != graph::kNone) tensors_.at(index, source.where);
    for (int32_t index : source.outputs) tensors_.at(index, source.where);
    return source;
  }

  void copy_indices(const flatbuffers::Vector<int32_t>* from, std::vector<int32_t>& to) {
    if (!from) return;
    file_.spend(from->size() * sizeof(int32_t));
    to.assign(from->begin(), from->end());
  }

  void add_operator(const Operator& source) {
    const auto result = map_operator(source, tensors_);
    if (const auto* mapped = std::get_if<Mapped>(&result)) return add_mapped(source, *mapped);
    const graph::OpaqueAttrs attrs{source.name, std::get<Unknown>(result).reason};
    add_node(source, OpKind::Opaque, attrs, source.inputs, source.outputs);
  }

  void add_mapped(const Operator& source, const Mapped& mapped) {
    if (source.outputs.size() != 1 + mapped.more.size())
      throw Error(source.where, fmt::format("has {} outputs where {} were expected", source.outputs.size(), 1 + mapped.more.size()));
    for (size_t i = 0; i < source.outputs.size(); ++i)
      add_node(source, mapped.kind, i == 0 ? mapped.attrs : mapped.more[i - 1], mapped.inputs, std::span(source.outputs).subspan(i, 1));
  }

  void add_node(const Operator& source, OpKind op, graph::Attrs attrs, const std::vector<int32_t>& inputs, std::span<const int32_t> outputs) {
    Node node;
    node.origin = source.where;
    node.op = op;
    node.attrs = std::move(attrs);
    add_inputs(node, inputs, source.where);
    for (int32_t index : outputs) node.outputs.push_back(tensors_.define(index, source.where));
    node.name = graph_.value(node.outputs[0]).name;
    if (op != OpKind::Opaque && tensors_.has_placeholder_shape(outputs[0])) graph_.value(node.outputs[0]).shape = ops::op_info(op).infer(graph_, node).at(0).shape;
    mark_trainable(node);
    graph_.add_node(std::move(node));
  }

  void add_inputs(Node& node, const std::vector<int32_t>& indices, const std::string& where) {
    for (int32_t index : indices) node.inputs.push_back(index == graph::kNone ? graph::kNone : tensors_.use(index, where));
    while (node.op != OpKind::Opaque && !node.inputs.empty() && node.inputs.back() == graph::kNone) node.inputs.pop_back();
  }

  static bool has_weights(const Node& node) {
    return node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected;
  }

  void mark_trainable(const Node& node) {
    if (!has_weights(node)) return;
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (node.inputs[i] != graph::kNone && graph_.value(node.inputs[i]).dtype == DType::f32) graph_.value(node.inputs[i]).trainable = true;
  }

  File& file_;
  graph::Graph& graph_;
  Tensors tensors_;
};

}  // namespace

graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn) {
  File file(bytes, where);
  graph::Model model;
  model.name = clean_text(std::filesystem::path(where).stem().string());
  Importer(file, model.graph).run(warn);
  model.graph.remove_unused();  // what computed the shape that a RESHAPE declares anyway
  ops::verify(model.graph, where);
  read_contract(file, model, warn);
  return model;
}

}  // namespace kinglet::formats::tflite
