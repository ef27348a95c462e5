// Where quantization happens: which values become int8, which of them must share a scale, and which are given one by their
// operator or by the input contract.
#pragma once

#include <optional>
#include <vector>

#include "graph/model.h"
#include "ops/numerics.h"
#include "quantize/observer.h"

namespace kinglet::quantize {

struct Prepared {
  std::vector<int> group;                                ///< of each value; -1: not an activation
  std::vector<std::optional<graph::QuantParams>> fixed;  ///< of each group, where given
  int groups() const { return static_cast<int>(fixed.size()); }
};

/// Groups of values by ops::QuantRule, merged by union-find. The graph's one input gets contract_params(spec).
/// Throws Error naming a node that has no int8 form, or a group with two given scales.
Prepared prepare(const graph::Graph& graph, const graph::InputSpec& spec);

/// Scale and zero point of the input from the contract alone: the range of real_value over all bytes and channels, so that
/// x/255 gives (1/255, -128) and every byte its own integer.
graph::QuantParams contract_params(const graph::InputSpec& spec);

/// Asymmetric int8: scale = (max - min) / 255, zero point rounded so that 0 is exact. An empty range gets scale 1/255.
graph::QuantParams asymmetric_params(Range range);

/// What the operator that makes a value can give at all (relu6: 0..6); infinite where free.
ops::FloatRange possible_range(const graph::Node& node);

}  // namespace kinglet::quantize
