// What an operator knows beside its inputs. Defaults are the commonest values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"

namespace kinglet::graph {

enum class OpKind : uint8_t {
#define KINGLET_OP(kind, name, attrs) kind,
#include "graph/ops.def"
#undef KINGLET_OP
};

/// Fused into the end of the operator that carries it.
enum class Activation : uint8_t { none, relu, relu6 };

/// same: TensorFlow's rule, the odd pixel goes bottom and right. explicit_: the four numbers (PyTorch's).
enum class PaddingMode : uint8_t { valid, same, explicit_ };

struct Padding {
  PaddingMode mode = PaddingMode::valid;
  int top = 0, bottom = 0, left = 0, right = 0;  ///< meaningful for explicit_ only; ops::resolve_padding gives all modes' numbers
  bool operator==(const Padding&) const = default;
};

struct NoAttrs {
  bool operator==(const NoAttrs&) const = default;
};

struct ActivationAttrs {
  Activation activation = Activation::none;
  bool operator==(const ActivationAttrs&) const = default;
};

/// Inputs: x NHWC, weights OHWI, bias O (may be absent).
struct Conv2dAttrs {
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Padding padding;
  Activation activation = Activation::none;
  bool operator==(const Conv2dAttrs&) const = default;
};

/// Inputs: x NHWC, weights 1HWC with C = input channels x multiplier, bias C (may be absent).
struct DepthwiseConv2dAttrs {
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int multiplier = 1;
  Padding padding;
  Activation activation = Activation::none;
  bool operator==(const DepthwiseConv2dAttrs&) const = default;
};

/// Inputs: x (flattened in NHWC order from dimension 1), weights OI, bias O (may be absent). Output N x O.
struct FullyConnectedAttrs {
  Activation activation = Activation::none;
  bool operator==(const FullyConnectedAttrs&) const = default;
};

/// An average counts the pixels inside the picture only.
struct Pool2dAttrs {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Padding padding;
  Activation activation = Activation::none;
  bool operator==(const Pool2dAttrs&) const = default;
};

struct MeanAttrs {
  std::vector<int> axes;  ///< ascending, never 0
  bool keep_dims = false;
  bool operator==(const MeanAttrs&) const = default;
};

struct ReshapeAttrs {
  std::vector<int64_t> shape;  ///< of one picture: without dimension 0
  bool operator==(const ReshapeAttrs&) const = default;
};

struct PadAttrs {
  std::vector<int> before, after;  ///< one per axis; axis 0 is 0. The value is zero (the zero point in integers)
  bool operator==(const PadAttrs&) const = default;
};

/// Over the last axis.
struct SoftmaxAttrs {
  float beta = 1.0f;
  bool operator==(const SoftmaxAttrs&) const = default;
};

/// Axis i of the output is axis perm[i] of the input; perm[0] is 0.
struct TransposeAttrs {
  std::vector<int> perm;
  bool operator==(const TransposeAttrs&) const = default;
};

struct ConcatenationAttrs {
  int axis = 1;  ///< never 0
  bool operator==(const ConcatenationAttrs&) const = default;
};

/// Elements begin, begin + stride, ... below end of each axis; axis 0 is taken whole (0, 1, 1). Axes of `drop`, where one
/// element is taken, are not in the output. A SPLIT is one of these for each of its outputs.
struct StridedSliceAttrs {
  std::vector<int> begin, end, stride;
  std::vector<int> drop;  ///< ascending, never 0
  bool operator==(const StridedSliceAttrs&) const = default;
};

/// Pictures NHWC to out_h x out_w, each pixel that of the nearest source (ops::nearest_sources has the formula).
struct ResizeNearestAttrs {
  int out_h = 1, out_w = 1;
  bool align_corners = false, half_pixel = false;
  bool operator==(const ResizeNearestAttrs&) const = default;
};

/// Index of the largest value along an axis, which goes; the lower index wins a tie. int32, or int64 if `wide`.
struct ArgMaxAttrs {
  int axis = 1;  ///< never 0
  bool wide = false;
  bool operator==(const ArgMaxAttrs&) const = default;
};

/// Inputs: x, gamma, beta, running mean, running variance, each of C. y = (x - mean) / sqrt(var + eps) * gamma + beta.
struct BatchNormAttrs {
  float eps = 1e-5f;
  float momentum = 0.1f;  ///< share of the new batch in the running values (PyTorch's sense)
  bool operator==(const BatchNormAttrs&) const = default;
};

struct DropoutAttrs {
  float rate = 0.5f;
  bool operator==(const DropoutAttrs&) const = default;
};

/// Input x; rounds to the grid of (scale, zero_point) and back, float to float. axis -1 is per tensor.
struct FakeQuantizeAttrs {
  std::vector<float> scale;
  std::vector<int32_t> zero_point;
  int axis = -1;
  int quant_min = -128, quant_max = 127;
  bool operator==(const FakeQuantizeAttrs&) const = default;
};

/// An operator we cannot run: kept so that a model can be printed and checked.
struct OpaqueAttrs {
  std::string name;    ///< the operator's name in its own format, "CUMSUM"
  std::string detail;  ///< its attributes as text
  bool operator==(const OpaqueAttrs&) const = default;
};

using Attrs = std::variant<NoAttrs, ActivationAttrs, Conv2dAttrs, DepthwiseConv2dAttrs, FullyConnectedAttrs, Pool2dAttrs, MeanAttrs,
                           ReshapeAttrs, PadAttrs, SoftmaxAttrs, TransposeAttrs, ConcatenationAttrs, StridedSliceAttrs, ResizeNearestAttrs,
                           ArgMaxAttrs, BatchNormAttrs, DropoutAttrs, FakeQuantizeAttrs, OpaqueAttrs>;

std::string_view op_name(OpKind op);
OpKind op_from_name(std::string_view name, const std::string& where);  ///< throws Error with a suggestion
std::string_view activation_name(Activation activation);
Attrs default_attrs(OpKind op);
bool attrs_fit(OpKind op, const Attrs& attrs);

Json attrs_to_json(const Attrs& attrs);
Attrs attrs_from_json(OpKind op, const Json& json, const std::string& where);

}  // namespace kinglet::graph
