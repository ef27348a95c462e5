// Attributes and constants of an ONNX node, read with their bounds: what the importers of operators share.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "formats/onnx/importer.h"

namespace kinglet::formats::onnx {

inline constexpr int64_t kMaxSide = 1 << 16;

/// n as an int; throws Error where it is below `low` or beyond kMaxSide.
int bounded(const Source& source, int64_t n, int64_t low, const char* what);
/// The two numbers of a per-axis attribute, 1 and 1 if it is absent.
std::array<int, 2> pair(const Source& source, const char* name);
/// The axis with negative numbers counted from the end.
int axis_of(const Source& source, int64_t axis, int rank);
/// Axes are an attribute in older operator sets and an input in newer ones.
std::vector<int64_t> axes_of(Importer& importer, const Source& source);

/// A change of a constant that changes nothing.
Tensor unchanged(const Tensor& t, const std::vector<int64_t>&);
graph::ValueId vector_constant(Importer& importer, const Source& source, int i, bool trainable);

/// One input, same shape, element by element: order and flattening pass through.
void elementwise(Importer& importer, const Source& source, graph::OpKind op, graph::Attrs attrs);

}  // namespace kinglet::formats::onnx
