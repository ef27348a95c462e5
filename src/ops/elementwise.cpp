// One row an elementwise operator: what differs is arity and the quantization of the output.
#include <algorithm>

#include "ops/rules.h"

namespace kinglet::ops {

namespace {

/// NumPy broadcasting of two shapes; dimension 0 of the result is that of the activation.
std::vector<ValueType> infer_broadcast(const graph::Graph& graph, const graph::Node& node) {
  const auto& a = input_value(graph, node, 0);
  const auto& b = input_value(graph, node, 1);
  if (a.dtype != b.dtype) refuse(node, "has inputs of two data types");
  const int rank = std::max(a.shape.rank(), b.shape.rank());
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.shape.rank()), ib = i - (rank - b.shape.rank());
    const int64_t da = ia < 0 ? 1 : a.shape[ia], db = ib < 0 ? 1 : b.shape[ib];
    if (da != db && da != 1 && db != 1) refuse(node, "cannot combine " + a.shape.str() + " with " + b.shape.str());
    dims[static_cast<size_t>(i)] = da == 1 ? db : da;
  }
  return {{a.dtype, Shape(dims)}};
}

std::vector<ValueType> infer_float(const graph::Graph& graph, const graph::Node& node) {
  if (input_value(graph, node, 0).dtype != DType::f32) refuse(node, "works on float32 only");
  return same_type(graph, node);
}

}  // namespace

#define KINGLET_UNARY(kind, infer_rule, ...)  \
  extern const OpInfo k##kind##Info; \
  const OpInfo k##kind##Info { .infer = infer_rule, .quant = __VA_ARGS__ }

KINGLET_UNARY(Relu, same_type, {});
KINGLET_UNARY(Relu6, same_type, {});
KINGLET_UNARY(HardSwish, same_type, {});
KINGLET_UNARY(Logistic, same_type, {QuantKind::fixed, 1.0f / 256.0f, -128});
KINGLET_UNARY(Dropout, infer_float, {QuantKind::same_as_input});
KINGLET_UNARY(FakeQuantize, infer_float, {QuantKind::same_as_input});
#undef KINGLET_UNARY

extern const OpInfo kAddInfo, kMulInfo;
const OpInfo kAddInfo{.min_inputs = 2, .max_inputs = 2, .activation_inputs = 2, .infer = infer_broadcast, .quant = {}};
const OpInfo kMulInfo{.min_inputs = 2, .max_inputs = 2, .activation_inputs = 2, .infer = infer_broadcast, .quant = {}};

}  // namespace kinglet::ops
