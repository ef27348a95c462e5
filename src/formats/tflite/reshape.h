// The shape that a RESHAPE or SQUEEZE makes where the file declares only a placeholder.
#pragma once

#include <optional>

#include "formats/tflite/operators.h"

namespace kinglet::formats::tflite {

/// What a RESHAPE whose declared shape does not fit asks for: its operand, its option or, with one dimension left open, the signature.
/// `x`: the shape of its input. Nothing where none of them fits.
std::optional<Shape> asked_shape(const Operator& source, const Tensors& tensors, const Shape& x);

}  // namespace kinglet::formats::tflite
