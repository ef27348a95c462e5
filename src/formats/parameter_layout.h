// How PyTorch lays out a parameter that Kinglet holds in TensorFlow's way, told by the operator that reads it.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace kinglet::formats {

struct ParameterLayout {
  enum class Kind : uint8_t { plain, conv, depthwise, dense } kind = Kind::plain;
  Shape picture;  ///< dense: the N x H x W x C that the input was flattened from; rank 0 where the order does not matter
};

/// By value; constants that no such operator reads are plain.
std::vector<ParameterLayout> parameter_layouts(const graph::Graph& graph);

/// OHWI -> OIHW, 1HWC -> C1HW, dense columns from HWC to CHW.
Tensor to_torch(const Tensor& tensor, const ParameterLayout& layout);
/// The reverse.
Tensor from_torch(const Tensor& tensor, const ParameterLayout& layout);
/// The shape that PyTorch gives a parameter of our shape.
Shape torch_shape(const Shape& shape, const ParameterLayout& layout);

}  // namespace kinglet::formats
