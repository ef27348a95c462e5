// Who reads a value, by whichever of its names.
#include <algorithm>

#include "formats/onnx/importer.h"

namespace kinglet::formats::onnx {

namespace {

/// The node makes no value of its own: its output is another name of what it reads. (Of a picture the axes may be renamed too.)
bool only_renames(const pb::NodeProto& node) {
  const Source source(node, "");
  if (node.op_type() == "Cast") return source.integer("to", 0) == pb::TensorProto::FLOAT || source.integer("to", 0) == pb::TensorProto::INT64;
  if (node.op_type() == "Clip") return source.node.attribute().empty() && !source.has_input(1) && !source.has_input(2);
  return node.op_type() == "Identity" || node.op_type() == "Transpose";
}

}  // namespace

/// Every reader of a value counts, by whichever of its names it reads it.
void Importer::count_uses() {
  for (const auto& node : file_.graph().node()) {
    if (only_renames(node) && node.input_size() > 0 && node.output_size() > 0) same_value_.emplace(node.output(0), root_name(node.input(0)));
    else
      for (const auto& name : node.input()) ++uses_[root_name(name)];
  }
  for (const auto& info : file_.graph().output()) ++uses_[root_name(info.name())];
}

const std::string& Importer::root_name(const std::string& name) const {
  auto it = same_value_.find(name);
  return it == same_value_.end() ? name : it->second;
}

int Importer::use_count(const std::string& name) const {
  auto it = uses_.find(root_name(name));
  return it == uses_.end() ? 0 : it->second;
}

bool Importer::only_reader_is(const std::string& name, std::string_view op) const {
  const auto& nodes = file_.graph().node();
  const auto reads = [&](const pb::NodeProto& node) { return std::count(node.input().begin(), node.input().end(), name); };
  const auto found = std::find_if(nodes.begin(), nodes.end(), reads);
  return use_count(name) == 1 && found != nodes.end() && found->op_type() == op;
}

bool Importer::is_read_by_nodes(const std::string& name) const {
  const auto& nodes = file_.graph().node();
  return std::any_of(nodes.begin(), nodes.end(), [&](const pb::NodeProto& node) { return std::count(node.input().begin(), node.input().end(), name) > 0; });
}

}  // namespace kinglet::formats::onnx
