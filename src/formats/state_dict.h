// Named tensors without a graph: what a PyTorch checkpoint or a safetensors file holds. An architecture's graph takes them in by
// name, or, where Kinglet wrote the file, the graph stands in its metadata. Layouts in files are PyTorch's (OIHW).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats {

struct StateDict {
  std::string where;  ///< the file, opens messages
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::map<std::string, std::string> metadata;  ///< texts beside the tensors
};

/// Key of the metadata in which Kinglet keeps everything but the tensors.
inline constexpr const char* kStateMetadata = "kinglet";

/// What a value of an architecture's graph is called elsewhere. Empty where it has no other name.
using ForeignName = std::function<std::string(const std::string& value_name)>;

/// True if Kinglet wrote the file, so that it opens without an architecture.
bool has_graph(const StateDict& state);
/// The model of a file that Kinglet wrote. Throws Error where tensors and graph do not fit.
graph::Model model_from_state(const StateDict& state);

struct AssignOptions {
  ForeignName foreign_name;                 ///< may be empty
  std::vector<std::string> derived_modules;  ///< modules ("fuse_conv") whose tensors follow from others and are not read
};

/// The architecture's model with the file's tensors as its parameters and running statistics. A name is looked for as it is and without
/// the wrappers that trainers put before it ("module.", "model.", "backbone.", "head.", ...). PyTorch's counters of batches are not
/// read. Throws Error naming tensors that are missing, too many or of another shape.
graph::Model assign_state(graph::Model architecture, const StateDict& state, const AssignOptions& options = {});

/// The model's constants in PyTorch's layouts under their foreign names, and the metadata that model_from_state reads.
StateDict state_of(const graph::Model& model, const ForeignName& foreign_name = {});

/// Names of up to five of them, for messages: "a, b, c, ... (12 in all)".
std::string few_names(const std::vector<std::string>& names);

}  // namespace kinglet::formats
