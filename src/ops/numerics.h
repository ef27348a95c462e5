// The integer arithmetic that must agree everywhere: how multipliers are derived and rounded, and the tables.
// docs/numerics.md states each as a formula. Source: the TensorFlow Lite quantization specification and the behaviour of
// TensorFlow Lite Micro's reference kernels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace kinglet::ops {

/// tflm: TensorFlow Lite Micro's reference kernels. tflite214: tflite-runtime 2.14's. litert2: ai-edge-litert 2.x's.
enum class Numerics : uint8_t { tflm, tflite214, litert2 };
std::string_view numerics_name(Numerics numerics);
Numerics numerics_from_name(std::string_view name);  ///< throws a usage Error

/// value = mantissa * 2^(shift - 31), mantissa in [2^30, 2^31) or 0.
struct Multiplier {
  int32_t mantissa = 0;
  int shift = 0;
  bool operator==(const Multiplier&) const = default;
};

/// Rounds half away from zero; below 2^-32 becomes 0. Throws Error for negative or non-finite values or above 2^30.
Multiplier quantize_multiplier(double value);

/// Rounds twice: saturating doubling high multiply, then a rounding right shift (half away from zero).
int32_t requantize(int32_t x, Multiplier m);
/// Rounds once, half up, in 64 bit (litert2's fully connected).
int32_t requantize_once(int32_t x, Multiplier m);

/// One multiplier per output channel of a Conv2d or DepthwiseConv2d: double(si) * double(sw[c]) / double(so); nodes of
/// NodeRule::legacy_u8 have one weight scale and double(float(si * sw)) / double(so).
std::vector<Multiplier> conv_multipliers(const graph::Graph& graph, const graph::Node& node);
/// Per-tensor fully connected: double(float(si * sw)) / double(so), one entry; per-channel weights as conv.
std::vector<Multiplier> fully_connected_multipliers(const graph::Graph& graph, const graph::Node& node);

/// Zero point of a node's weights: 0, or what a legacy_u8 node keeps. Throws Error naming the node for others.
int32_t weight_zero_point(const graph::Graph& graph, const graph::Node& node);

/// ADD: both inputs are shifted left by 20, scaled to twice the larger input scale, summed, scaled to the output.
struct AddParams {
  int left_shift = 20;
  Multiplier input[2], output;
};
AddParams add_params(float scale_a, float scale_b, float scale_out);

/// MUL: double(sa) * double(sb) / double(so); tflite214 forms sa * sb / so in float.
Multiplier mul_multiplier(float scale_a, float scale_b, float scale_out, Numerics numerics);

/// MEAN: sum of (x - zero point), times scale_in / (scale_out * count), rounded twice.
Multiplier mean_multiplier(float scale_in, float scale_out, int64_t count);

/// Clamp of a fused activation in the output's integers: {min, max}.
struct ClampRange {
  int32_t min, max;
};
ClampRange activation_range(graph::Activation activation, const graph::QuantParams& quant, DType dtype);
/// In floats: {-inf, inf}, {0, inf}, {0, 6}.
struct FloatRange {
  float min, max;
};
FloatRange activation_range(graph::Activation activation);

/// exp(-beta * scale * d) for d = max - x = 0..255 in Q0.31, as the fixed-point exponential of gemmlowp gives it; 0 where
/// the reference stops (d beyond its radius). softmax_row applies it.
struct SoftmaxTable {
  std::array<int32_t, 256> exp_q31{};
};
SoftmaxTable softmax_table(float beta, float input_scale);
/// int8 in, int8 out with scale 1/256 and zero point -128 (uint8: zero point 0). n values of one row.
void softmax_row_s8(const SoftmaxTable& table, const int8_t* x, int8_t* y, int n);

/// One entry a byte of the input (index = value - min of the dtype), for an operator that maps byte to byte.
std::array<int8_t, 256> logistic_table_s8(const graph::QuantParams& in, const graph::QuantParams& out);

/// HARD_SWISH, x * relu6(x + 3) / 6, in TensorFlow Lite's 16-bit fixed point. Throws Error when scale_in / scale_out is 128 or more.
std::array<int8_t, 256> hard_swish_table_s8(const graph::QuantParams& in, const graph::QuantParams& out);

/// round half away from zero(x / scale) + zero_point, clamped to the dtype; the division is a float one. NaN gives zero_point.
int32_t quantize_value(float x, float scale, int32_t zero_point, DType dtype);

}  // namespace kinglet::ops
