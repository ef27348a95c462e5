// The slow, obvious interpreter: plain loops over NHWC for float32 and int8. The oracle of every test; never optimized.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "ops/numerics.h"

namespace kinglet::reference {

/// Called after each node with its outputs (batch in dimension 0).
using Tap = std::function<void(const graph::Node& node, std::span<const Tensor> outputs)>;

struct RunOptions {
  ops::Numerics numerics = ops::Numerics::tflm;
  Tap tap;
};

/// One tensor per graph input, dtype and shape as declared but with any batch in dimension 0 (the same for all).
/// Returns the graph outputs with that batch. BatchNorm uses its running statistics, Dropout does nothing.
/// Throws Error for an operator or type it does not run, naming the node.
std::vector<Tensor> run(const graph::Graph& graph, std::span<const Tensor> inputs, const RunOptions& options = {});

}  // namespace kinglet::reference
