// What an operator of the file means in our terms: kind, attributes and which of its tensors stay inputs.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "formats/tflite/tensors.h"
#include "graph/attrs.h"

namespace kinglet::formats::tflite {

struct Operator {
  const fb::Operator& op;
  fb::BuiltinOperator code;
  std::string name;                      ///< "CONV_2D", or the custom operator's own
  std::string where;                     ///< "m.tflite: operator 3 (CONV_2D)", opens messages
  std::vector<int32_t> inputs, outputs;  ///< tensor indices; -1 for an absent input
};

struct Mapped {
  graph::OpKind kind;
  graph::Attrs attrs;
  std::vector<int32_t> inputs;  ///< those that carry data; shapes, axes and paddings have gone into the attributes
  std::vector<graph::Attrs> more{};  ///< one a further output: each becomes a node of its own with the same inputs
};

/// Why an operator stays opaque; empty if we simply do not know its kind.
struct Unknown {
  std::string reason;
};

/// Throws Error where the operator contradicts the format itself (missing inputs or options, axes out of range).
std::variant<Mapped, Unknown> map_operator(const Operator& source, const Tensors& tensors);

}  // namespace kinglet::formats::tflite
