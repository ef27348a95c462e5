#include "load/state_model.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "zoo/network_file.h"
#include "zoo/state_names.h"
#include "zoo/zoo.h"

namespace kinglet::load {

namespace {

using graph::OpKind;

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& row : zoo::rows())
    if (names.empty() || names.back() != row.name) names.push_back(row.name);
  return names;
}

std::string example_of(const std::string& arch) {
  for (const auto& row : zoo::rows())
    if (row.name == arch) return row.example;
  throw Error("--arch", "no architecture is called '" + arch + "'", did_you_mean(arch, architecture_names()), ErrorKind::usage);
}

/// The file's tensor of a parameter, whatever stands before its name; nullptr if there is none.
const Tensor* find_tensor(const formats::StateDict& state, const std::string& arch, const std::string& parameter) {
  for (const std::string& name : {zoo::other_name(arch, parameter), parameter})
    for (const auto& [key, tensor] : state.tensors)
      if (!name.empty() && (key == name || key.ends_with("." + name))) return &tensor;
  return nullptr;
}

/// Size of an axis of the file's tensor for input 1 of the first or last node that has weights; `fallback` if it is not there.
int64_t size_in_file(const formats::StateDict& state, const graph::Model& example, const std::string& arch, bool last, int axis, int64_t fallback) {
  const graph::Node* found = nullptr;
  for (const auto& node : example.graph.nodes())
    if ((node.op == OpKind::Conv2d || node.op == OpKind::FullyConnected) && (last || !found)) found = &node;
  const Tensor* tensor = found ? find_tensor(state, arch, example.graph.value(found->inputs[1]).name) : nullptr;
  return tensor && tensor->shape().rank() > axis ? tensor->shape()[axis] : fallback;
}

/// "name@width,HxWxC,classes,..." with channels and classes in place of the example's.
std::string with_sizes(const std::string& example, int64_t channels, int64_t classes) {
  const size_t size = example.find('x', example.find('@')), comma = example.find(',', size), end = std::min(example.find(',', comma + 1), example.size());
  const size_t last_x = example.rfind('x', comma);
  return fmt::format("{}x{},{}{}", example.substr(0, last_x), channels, classes, example.substr(end));
}

std::string complete(const std::string& arch, const formats::StateDict& state) {
  if (arch.find('@') != std::string::npos || zoo::is_network_path(arch)) return arch;
  const std::string example = example_of(arch);
  const auto model = zoo::build(example, zoo::kUndrawn);
  const auto classes = size_in_file(state, model, arch, true, 0, model.graph.value(model.graph.outputs.at(0)).shape.back());
  return with_sizes(example, size_in_file(state, model, arch, false, 1, model.input.channels), classes);
}

[[noreturn]] void ask_for_architecture(const formats::StateDict& state) {
  std::vector<std::string> names;
  for (const auto& entry : state.tensors) names.push_back(entry.first);
  std::string known;
  for (const auto& name : architecture_names()) known += (known.empty() ? "" : ", ") + name;
  throw Error(state.where, fmt::format("holds {} tensors and no network ({})", names.size(), formats::few_names(names)),
              "name its architecture (--arch, in a recipe model): " + known + ", or in full as in " + zoo::rows().front().example);
}

}  // namespace

graph::Model state_model(const formats::StateDict& state, const std::string& arch) {
  if (arch.empty()) return formats::has_graph(state) ? formats::model_from_state(state) : (ask_for_architecture(state), graph::Model());
  const std::string text = complete(arch, state), name = text.substr(0, text.find('@'));
  formats::AssignOptions options;
  if (!zoo::is_network_path(text)) options = {[&](const std::string& parameter) { return zoo::other_name(name, parameter); }, zoo::derived_modules(name)};
  graph::Model model = formats::assign_state(zoo::build(text, zoo::kUndrawn), state, options);
  model.provenance["weights"] = std::filesystem::path(state.where).filename().string();
  // The file says nothing of pictures: what its trainer fed is only likely to be what the architecture takes here.
  graph::set_origins(model.input, graph::Origin::assumed);
  model.input.origins["size"] = graph::Origin::flag;
  return model;
}

}  // namespace kinglet::load
