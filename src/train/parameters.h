// All floats of a Graph that training changes, in flat arrays: what the optimizer, the EMA and the checkpoint work on, and
// what the torch leaves look into. Each parameter keeps its Value's own layout (OHWI, 1HWC, OI).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace kinglet::train {

struct ParameterSlot {
  graph::ValueId value = graph::kNone;
  std::string name;
  int64_t offset = 0, size = 0;
  bool is_weight = false;  ///< rank 2 and up; biases and normalization are not decayed
};

class Parameters {
 public:
  /// Trainable float constants become parameters; the running values of BatchNorms become statistics.
  explicit Parameters(const graph::Graph& graph);

  std::vector<float> values, gradients;  ///< as many each
  std::vector<float> statistics;

  const std::vector<ParameterSlot>& slots() const { return slots_; }
  const std::vector<ParameterSlot>& statistic_slots() const { return statistic_slots_; }
  /// The slot of a value, nullptr when it is neither parameter nor statistic.
  const ParameterSlot* find(graph::ValueId id) const;
  const ParameterSlot* find_statistic(graph::ValueId id) const;
  /// Writes `values` and `statistics` (of these or an average's) into the constants of `graph`.
  void store(graph::Graph& graph, const std::vector<float>& values, const std::vector<float>& statistics) const;

 private:
  std::vector<ParameterSlot> slots_, statistic_slots_;
};

}  // namespace kinglet::train
