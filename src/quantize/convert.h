// A float graph and the scales of its values become an int8 graph. Values and nodes keep their numbers, so the two graphs
// can be walked side by side; add_borders comes last.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"
#include "quantize/quantize.h"

namespace kinglet::quantize {

struct ConvertOptions {
  bool per_channel_fc = false;
  /// Scales of weights by their float ValueId, where they are not chosen from the largest weight (quantization-aware training).
  std::map<graph::ValueId, std::vector<float>> weight_scales;
};

/// `params` by value (empty: stays as it is). Weights become int8 -127..127 with zero point 0, per output channel but for
/// FullyConnected; biases int32 with scale input x weight. A channel whose bias would not fit gets a larger weight scale.
graph::Graph convert(const graph::Graph& graph, const std::vector<graph::QuantParams>& params, const ConvertOptions& options = {});

/// Makes the inputs and outputs of an int8 graph of the wanted type by Quantize and Dequantize nodes. Names stay.
void add_borders(graph::Graph& graph, Io io);

}  // namespace kinglet::quantize
