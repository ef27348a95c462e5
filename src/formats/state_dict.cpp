#include "formats/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "formats/parameter_layout.h"
#include "formats/text.h"
#include "graph/serialize.h"
#include "graph/verify.h"
#include "ops/verify.h"

namespace kinglet::formats {

namespace {

using graph::OpKind;
using graph::Value;
using graph::ValueId;

/// What trainers put before the names of a network's own modules.
constexpr std::array<std::string_view, 8> kWrappers{"module.", "model.", "_orig_mod.", "network.", "net.", "backbone.", "head.", "cls_head."};

std::string_view without_wrapper(std::string_view name) {
  for (auto wrapper : kWrappers)
    if (name.starts_with(wrapper) && name.size() > wrapper.size()) return name.substr(wrapper.size());
  return {};
}

/// The same elements in the same sequence: equal but for axes of size 1.
bool fits(const Shape& a, const Shape& b) {
  auto kept = [](const Shape& shape) {
    std::vector<int64_t> dims;
    for (int64_t dim : shape.dims())
      if (dim != 1) dims.push_back(dim);
    return dims;
  };
  return kept(a) == kept(b);
}

/// The file's tensors by full name, and by name without wrappers where that is not taken.
class NameIndex {
 public:
  explicit NameIndex(const StateDict& state) : used_(state.tensors.size(), false) {
    for (size_t i = 0; i < state.tensors.size(); ++i) {
      const auto& name = state.tensors[i].first;
      if (!by_name_.emplace(name, i).second) throw Error(state.where, "has two tensors named '" + clean_text(name) + "'", "the file is damaged");
    }
    for (size_t i = 0; i < state.tensors.size(); ++i)
      for (auto name = without_wrapper(state.tensors[i].first); !name.empty(); name = without_wrapper(name)) by_name_.emplace(name, i);
  }

  /// The index of the tensor, which counts as read from now on; -1 if there is none.
  int64_t take(const std::string& name) {
    const auto it = by_name_.find(name);
    if (name.empty() || it == by_name_.end()) return -1;
    used_[it->second] = true;
    return static_cast<int64_t>(it->second);
  }
  bool used(size_t i) const { return used_[i]; }

 private:
  std::unordered_map<std::string, size_t> by_name_;
  std::vector<bool> used_;
};

/// By value: what training changes, weights and running statistics.
std::vector<bool> parameters_of(const graph::Graph& graph) {
  std::vector<bool> list;
  for (const auto& value : graph.values()) list.push_back(value.is_constant() && value.trainable);
  for (const auto& node : graph.nodes())
    if (node.op == OpKind::BatchNorm)
      for (size_t i = 1; i < node.inputs.size(); ++i) list[static_cast<size_t>(node.inputs[i])] = true;
  return list;
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

bool is_derived(const std::string& name, const AssignOptions& options) {
  if (last_part(name) == "num_batches_tracked") return true;
  return std::any_of(options.derived_modules.begin(), options.derived_modules.end(), [&](const std::string& module) {
    return name.starts_with(module + ".") || name.find("." + module + ".") != std::string::npos;
  });
}

/// `any_order`: only the number of elements must fit.
void set_constant(Value& value, const Tensor& tensor, const ParameterLayout& layout, const std::string& name, const std::string& where,
                  bool any_order = false) {
  const Shape wanted = torch_shape(value.shape, layout);
  if (any_order ? tensor.elements() != wanted.elements() : !fits(tensor.shape(), wanted))
    throw Error(where, fmt::format("tensor '{}' is {} where '{}' needs {}", clean_text(name), tensor.shape().str(), value.name, wanted.str()),
                "check width, input size and classes of the architecture");
  if (tensor.dtype() != value.dtype)
    throw Error(where, fmt::format("tensor '{}' is {} where '{}' needs {}", clean_text(name), dtype_name(tensor.dtype()), value.name, dtype_name(value.dtype)));
  value.constant = from_torch(tensor.reshaped(wanted), layout);
}

void refuse_surplus(const StateDict& state, const NameIndex& index, const AssignOptions& options, const std::string& architecture) {
  std::vector<std::string> surplus;
  for (size_t i = 0; i < state.tensors.size(); ++i)
    if (!index.used(i) && !is_derived(state.tensors[i].first, options)) surplus.push_back(state.tensors[i].first);
  if (!surplus.empty())
    throw Error(state.where, fmt::format("holds tensors that {} has no place for: {}", architecture, few_names(surplus)), "check the architecture and its options");
}

}  // namespace

std::string few_names(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i ? ", " : "") + clean_text(std::string_view(names[i]).substr(0, 120));
  return names.size() > kShown ? fmt::format("{}, ... ({} in all)", text, names.size()) : text;
}

graph::Model assign_state(graph::Model architecture, const StateDict& state, const AssignOptions& options) {
  NameIndex index(state);
  auto& graph = architecture.graph;
  const auto parameters = parameters_of(graph);
  std::vector<std::string> missing;
  std::vector<std::pair<ValueId, size_t>> found;
  for (ValueId v = 0; v < graph.value_count(); ++v) {
    if (!parameters[static_cast<size_t>(v)]) continue;
    const std::string& name = graph.value(v).name;
    const std::string foreign = options.foreign_name ? options.foreign_name(name) : "";
    int64_t i = index.take(foreign);
    if (i < 0) i = index.take(name);
    if (i < 0) missing.push_back(foreign.empty() ? name : foreign);
    else found.emplace_back(v, static_cast<size_t>(i));
  }
  if (!missing.empty()) {
    std::vector<std::string> have;
    for (const auto& entry : state.tensors) have.push_back(entry.first);
    throw Error(state.where, fmt::format("lacks tensors of {}: {}; it holds {}", architecture.name, few_names(missing), have.empty() ? "none" : few_names(have)),
                "check the architecture and its options");
  }
  const auto layouts = parameter_layouts(graph);
  for (const auto& [v, i] : found) set_constant(graph.value(v), state.tensors[i].second, layouts[static_cast<size_t>(v)], state.tensors[i].first, state.where);
  refuse_surplus(state, index, options, architecture.name);
  ops::verify(graph, state.where);
  return architecture;
}

bool has_graph(const StateDict& state) { return state.metadata.count(kStateMetadata) > 0; }

graph::Model model_from_state(const StateDict& state) {
  const std::string where = fmt::format("{}: its '{}' entry", state.where, kStateMetadata);
  std::vector<std::pair<ValueId, std::string>> wanted;
  graph::Model model = graph::model_from_index(state.metadata.at(kStateMetadata), where, wanted);
  NameIndex index(state);
  std::vector<const Tensor*> tensors;
  for (const auto& [v, name] : wanted) {  // the bytes first, so that the structure can be trusted before it is walked
    const int64_t i = index.take(name);
    if (i < 0) throw Error(state.where, "lacks the tensor '" + clean_text(name) + "'", "the file is damaged");
    tensors.push_back(&state.tensors[static_cast<size_t>(i)].second);
    set_constant(model.graph.value(v), *tensors.back(), {}, name, state.where, true);
  }
  graph::verify_structure(model.graph, state.where);
  const auto layouts = parameter_layouts(model.graph);
  for (size_t i = 0; i < wanted.size(); ++i)
    set_constant(model.graph.value(wanted[i].first), *tensors[i], layouts[static_cast<size_t>(wanted[i].first)], wanted[i].second, state.where);
  refuse_surplus(state, index, {}, "its own graph");
  ops::verify(model.graph, state.where);
  return model;
}

StateDict state_of(const graph::Model& model, const ForeignName& foreign_name) {
  StateDict state;
  state.where = model.name;
  const auto layouts = parameter_layouts(model.graph);
  std::vector<std::string> names(model.graph.values().size());
  std::unordered_set<std::string> taken;
  for (size_t v = 0; v < names.size(); ++v) {
    const Value& value = model.graph.values()[v];
    if (!value.is_constant()) continue;
    std::string wish = foreign_name ? foreign_name(value.name) : "";
    if (wish.empty()) wish = value.name.empty() ? fmt::format("value{}", v) : value.name;
    names[v] = wish;
    for (int i = 1; !taken.insert(names[v]).second; ++i) names[v] = fmt::format("{}_{}", wish, i);
    state.tensors.emplace_back(names[v], to_torch(*value.constant, layouts[v]));
  }
  state.metadata[kStateMetadata] = graph::model_to_index(model, names);
  return state;
}

}  // namespace kinglet::formats
