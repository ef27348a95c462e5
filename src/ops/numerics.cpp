#include "ops/numerics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/exact_math.h"
#include "ops/fixed_point.h"
#include "ops/op_info.h"

namespace kinglet::ops {

namespace {
const std::vector<std::string> kNames{"tflm", "tflite214", "litert2"};

ClampRange dtype_range(DType dtype) {
  if (dtype == DType::u8) return {0, 255};
  KINGLET_CHECK(dtype == DType::s8);
  return {-128, 127};
}

float scale_of(const graph::Graph& graph, graph::ValueId id, size_t channel = 0) {
  const auto& value = graph.value(id);
  if (value.quant.empty()) throw Error("value '" + value.name + "'", "has no scale and zero point");
  return value.quant.per_channel() ? value.quant.scale[channel] : value.quant.scale[0];
}
}  // namespace

std::string_view numerics_name(Numerics numerics) { return kNames[static_cast<size_t>(numerics)]; }

Numerics numerics_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Numerics>(i);
  throw Error("--numerics", "'" + std::string(name) + "' is not known", did_you_mean(name, kNames), ErrorKind::usage);
}

Multiplier quantize_multiplier(double value) {
  if (!(value >= 0) || value > 0x1p30 * 2) throw Error("numerics", "a multiplier of " + std::to_string(value) + " cannot be expressed");
  if (value == 0) return {};
  int shift = 0;
  const double fraction = std::frexp(value, &shift);
  auto mantissa = static_cast<int64_t>(std::round(fraction * 0x1p31));
  if (mantissa == int64_t{1} << 31) mantissa /= 2, ++shift;
  if (shift < -31) return {};
  return {static_cast<int32_t>(mantissa), shift};
}

int32_t requantize(int32_t x, Multiplier m) {
  const int left = std::max(m.shift, 0), right = std::max(-m.shift, 0);
  const auto shifted = static_cast<int32_t>(static_cast<uint32_t>(x) << left);
  return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shifted, m.mantissa), right);
}

int32_t requantize_once(int32_t x, Multiplier m) {
  const int total = 31 - m.shift;
  const int64_t y = (int64_t{x} * m.mantissa + (int64_t{1} << (total - 1))) >> total;
  return static_cast<int32_t>(std::clamp<int64_t>(y, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

namespace {
Multiplier per_tensor_multiplier(const graph::Graph& graph, const graph::Node& node) {
  const float product = scale_of(graph, node.inputs[0]) * scale_of(graph, node.inputs[1]);
  return quantize_multiplier(double{product} / double{scale_of(graph, node.outputs[0])});
}
}  // namespace

std::vector<Multiplier> conv_multipliers(const graph::Graph& graph, const graph::Node& node) {
  if (node.rule == graph::NodeRule::legacy_u8)
    return std::vector(static_cast<size_t>(graph.value(node.outputs[0]).shape.back()), per_tensor_multiplier(graph, node));
  const double si = scale_of(graph, node.inputs[0]), so = scale_of(graph, node.outputs[0]);
  const auto channels = static_cast<size_t>(graph.value(node.outputs[0]).shape.back());
  std::vector<Multiplier> list;
  for (size_t c = 0; c < channels; ++c) list.push_back(quantize_multiplier(si * double{scale_of(graph, node.inputs[1], c)} / so));
  return list;
}

std::vector<Multiplier> fully_connected_multipliers(const graph::Graph& graph, const graph::Node& node) {
  if (graph.value(node.inputs[1]).quant.per_channel()) return conv_multipliers(graph, node);
  return {per_tensor_multiplier(graph, node)};
}

int32_t weight_zero_point(const graph::Graph& graph, const graph::Node& node) {
  const auto& weights = graph.value(node.inputs[1]);
  const auto& quant = weights.quant;
  if (node.rule == graph::NodeRule::legacy_u8) {
    if (quant.zero_point.size() != 1) refuse(node, "has uint8 weights with " + std::to_string(quant.zero_point.size()) + " zero points where one was expected");
    return quant.zero_point[0];
  }
  for (int32_t zero : quant.zero_point)
    if (zero != 0) refuse(node, "has int8 weights with the zero point " + std::to_string(zero), "int8 weights are symmetric; only uint8 models have others");
  return 0;
}

AddParams add_params(float scale_a, float scale_b, float scale_out) {
  AddParams p;
  const double twice_max = 2.0 * std::max(scale_a, scale_b);
  p.input[0] = quantize_multiplier(double{scale_a} / twice_max);
  p.input[1] = quantize_multiplier(double{scale_b} / twice_max);
  p.output = quantize_multiplier(twice_max / (double{1 << 20} * double{scale_out}));
  return p;
}

Multiplier mul_multiplier(float scale_a, float scale_b, float scale_out, Numerics numerics) {
  if (numerics == Numerics::tflite214) return quantize_multiplier(scale_a * scale_b / scale_out);
  return quantize_multiplier(double{scale_a} * double{scale_b} / double{scale_out});
}

Multiplier mean_multiplier(float scale_in, float scale_out, int64_t count) {
  const Multiplier m = quantize_multiplier(double{scale_in} / double{scale_out});
  // Division by the count is folded in with as many extra bits as the mantissa can take without leaving int32's range.
  const int bits = std::min({63 - __builtin_clzll(static_cast<uint64_t>(count)), 32, 31 + m.shift});
  return {static_cast<int32_t>((int64_t{m.mantissa} << bits) / count), m.shift - bits};
}

ClampRange activation_range(graph::Activation activation, const graph::QuantParams& quant, DType dtype) {
  ClampRange range = dtype_range(dtype);
  if (activation == graph::Activation::none) return range;
  range.min = std::max(range.min, quant.zero_point.at(0));
  // In double until it is clamped: a hostile file's scale may be tiny.
  const double six = quant.zero_point[0] + double{std::round(6.0f / quant.scale.at(0))};
  if (activation == graph::Activation::relu6 && six < range.max) range.max = static_cast<int32_t>(six);
  return range;
}

FloatRange activation_range(graph::Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (activation == graph::Activation::none) return {-kInfinity, kInfinity};
  return {0.0f, activation == graph::Activation::relu6 ? 6.0f : kInfinity};
}

std::array<int8_t, 256> logistic_table_s8(const graph::QuantParams& in, const graph::QuantParams& out) {
  std::array<int8_t, 256> table{};
  for (int i = 0; i < 256; ++i) {
    const double x = double{in.scale.at(0)} * (i - 128 - in.zero_point.at(0));
    table[static_cast<size_t>(i)] = static_cast<int8_t>(quantize_value(static_cast<float>(exact_sigmoid(x)), out.scale.at(0), out.zero_point.at(0), DType::s8));
  }
  return table;
}

namespace {

int16_t saturate_s16(int32_t x) { return static_cast<int16_t>(std::clamp(x, -32768, 32767)); }
int16_t shift_left_s16(int16_t x, int bits) { return saturate_s16(saturating_left_shift(x, bits)); }

/// a * b / 2^15, rounded half away from zero, saturated.
int16_t rounding_high_multiply_s16(int16_t a, int16_t b) {
  const int32_t ab = int32_t{a} * b;
  return saturate_s16((ab + (ab >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

/// a * b / 2^15 towards zero, saturated.
int16_t high_multiply_s16(int16_t a, int16_t b) { return saturate_s16(int32_t{a} * b / (1 << 15)); }

/// A Multiplier with 15 bits of mantissa.
struct Multiplier16 {
  int16_t mantissa;
  int shift;
};
Multiplier16 to_16_bits(const Multiplier& m) {
  const int64_t rounded = (int64_t{m.mantissa} + (1 << 15)) >> 16;
  return {static_cast<int16_t>(std::min<int64_t>(rounded, 32767)), m.shift};
}

/// relu6(x + 3) / 6 as Q0.15, from x in 1/128 input steps.
int16_t reluish_q15(int16_t x, const Multiplier16& m) {
  if (m.shift > 0) x = shift_left_s16(x, m.shift - 1);
  x = rounding_high_multiply_s16(x, m.mantissa);
  if (m.shift > 0) x = shift_left_s16(x, 1);
  if (m.shift < 0) x = static_cast<int16_t>(rounding_divide_by_pot(x, std::min(-m.shift, 31)));
  return static_cast<int16_t>((x + (1 << 15)) >> 1);
}

}  // namespace

std::array<int8_t, 256> hard_swish_table_s8(const graph::QuantParams& in, const graph::QuantParams& out) {
  const float step = (1.0f / 128.0f) * in.scale.at(0), three = 3.0f / 32768.0f;
  const Multiplier16 to_out = to_16_bits(quantize_multiplier(step / out.scale.at(0)));
  const Multiplier16 to_gate = to_16_bits(quantize_multiplier(step / three));
  if (to_out.shift > 0) throw Error("hard_swish", "has an output scale of " + std::to_string(out.scale[0]) + " for an input scale of " + std::to_string(in.scale[0]), "the input scale may be up to 128 times the output's");
  std::array<int8_t, 256> table{};
  for (int i = 0; i < 256; ++i) {
    const auto x = static_cast<int16_t>((i - 128 - in.zero_point.at(0)) * 128);
    const int16_t product = high_multiply_s16(reluish_q15(x, to_gate), rounding_high_multiply_s16(x, to_out.mantissa));
    const int32_t y = rounding_divide_by_pot(product, std::min(-to_out.shift, 31));
    table[static_cast<size_t>(i)] = static_cast<int8_t>(std::clamp(y + out.zero_point.at(0), -128, 127));
  }
  return table;
}

int32_t quantize_value(float x, float scale, int32_t zero_point, DType dtype) {
  const ClampRange range = dtype_range(dtype);
  const double steps = std::round(x / scale);
  if (std::isnan(steps)) return zero_point;
  return static_cast<int32_t>(std::clamp(steps + zero_point, double(range.min), double(range.max)));
}

}  // namespace kinglet::ops
