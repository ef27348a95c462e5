// Ordered steps with everything they need: kernel, arguments, arena offsets, packed constants. Self-contained: the Graph
// may go away. The runtime executes it, codegen prints it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "ops/numerics.h"

namespace kinglet::plan {

/// What the plan is made for. More fields come with the boards.
struct Target {
  std::string name = "portable";      ///< "portable" (generic kernels), "host" (best kernels of this CPU)
  int alignment_bytes = 16;           ///< of arena tensors
  ops::Numerics numerics = ops::Numerics::tflm;
};

Target portable_target(ops::Numerics numerics = ops::Numerics::tflm);
Target host_target(ops::Numerics numerics = ops::Numerics::tflm);

}  // namespace kinglet::plan
