// Convolutions: which kernel, and the weights, bias and multipliers in its order.
#include <algorithm>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "plan/lowering.h"
#include "plan/pack.h"

namespace kinglet::plan {

namespace {

constexpr int64_t kMaxScratchBytes = int64_t{1} << 28;

kinglet_window to_window(const ops::Window& w) {
  return {w.in_h, w.in_w, w.out_h, w.out_w, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left};
}

/// Values of the padded picture that the x86 kernels copy, for `channels` a pixel; -1 where they do not apply.
int64_t padded_picture(const kinglet_window& w, int64_t channels) {
  if (w.dilation_h != 1 || w.dilation_w != 1) return -1;
  const int64_t height = int64_t{w.out_h - 1} * w.stride_h + w.kernel_h, width = int64_t{w.out_w - 1} * w.stride_w + w.kernel_w;
  if (height > kMaxScratchBytes || width * channels > kMaxScratchBytes || height * width * channels > kMaxScratchBytes / 4) return -1;
  return height * width * channels;
}

struct Convolution {
  Lowering& lowering;
  const graph::Node& node;
  Tensor weights;  ///< OHWI, or 1HWC for a depthwise one
  int32_t in_c, out_c;
  kinglet_window window;

  Operand x() const { return lowering.read(node.inputs[0]); }
  Operand y() const { return lowering.write(node); }
  Operand constant(const char* what, Tensor tensor) const { return lowering.constant(node.name + "_" + what, std::move(tensor)); }
  /// Zeros where the node has none.
  template <class T>
  std::vector<T> bias() const {
    if (node.inputs.size() < 3 || node.inputs[2] == graph::kNone) return std::vector<T>(static_cast<size_t>(out_c));
    const auto data = parameter(lowering, node, 2).data<T>();
    return {data.begin(), data.end()};
  }
  kinglet_conv2d_s8_args s8_args() const {
    const auto range = integer_range(lowering, node);
    return {window, in_c, out_c, grid(node, input_value(lowering, node, 0)).zero, grid(node, output_value(lowering, node)).zero,
            range.min, range.max, ops::weight_zero_point(lowering.graph(), node)};
  }
  kinglet_conv2d_f32_args f32_args() const {
    const auto range = float_range(node);
    return {window, in_c, out_c, range.min, range.max};
  }
};

Convolution make_convolution(Lowering& lowering, const graph::Node& node) {
  const auto& x = input_value(lowering, node, 0);
  const auto& y = output_value(lowering, node);
  return {lowering, node, parameter(lowering, node, 1), to_int32(node, x.shape[3]), to_int32(node, y.shape[3]), to_window(ops::node_window(lowering.graph(), node))};
}

void emit_s8_avx512vnni(const Convolution& c, int64_t picture) {
  const auto m = ops::conv_multipliers(c.lowering.graph(), c.node);
  const auto args = c.s8_args();
  const auto bias = fold_offset_into_bias(c.bias<int32_t>(), c.weights, args.weight_zero, args.in_zero);
  const int64_t offsets = args.weight_zero ? 64 + 4 * int64_t{c.window.out_h} * c.window.out_w : 0;
  c.lowering.emit(c.node, Kernel::conv2d_s8_x86_avx512vnni, args,
                  {c.x(), c.constant("weights", pack_conv2d_s8_avx512vnni(c.weights)), c.constant("bias", padded_s32(bias, 16)),
                   c.constant("mantissas", padded_s32(mantissas(m), 16)), c.constant("shifts", padded_s32(shifts(m), 16)),
                   c.lowering.scratch(c.node, picture + 64 + offsets), c.y()});
}

void emit_s8_avx2(const Convolution& c, int64_t picture) {
  const auto m = ops::conv_multipliers(c.lowering.graph(), c.node);
  const auto args = c.s8_args();
  c.lowering.emit(c.node, Kernel::conv2d_s8_x86_avx2, args,
                  {c.x(), c.constant("weights", pack_conv2d_s8_avx2(c.weights, args.weight_zero)), c.constant("bias", padded_s32(c.bias<int32_t>(), 8)),
                   c.constant("mantissas", padded_s32(mantissas(m), 8)), c.constant("shifts", padded_s32(shifts(m), 8)),
                   c.lowering.scratch(c.node, 2 * picture + 64), c.y()});
}

void emit_depthwise_s8_x86(const Convolution& c, int64_t picture) {
  const auto m = ops::conv_multipliers(c.lowering.graph(), c.node);
  const auto args = c.s8_args();
  const bool wide = c.lowering.has(Isa::avx512vnni);
  c.lowering.emit(c.node, wide ? Kernel::depthwise_conv2d_s8_x86_avx512bw : Kernel::depthwise_conv2d_s8_x86_avx2, args,
                  {c.x(), c.constant("weights", pack_depthwise_conv2d_s8_avx2(c.weights, args.weight_zero)), c.constant("bias", depthwise_order_s32(c.bias<int32_t>())),
                   c.constant("mantissas", depthwise_order_s32(mantissas(m))), c.constant("shifts", depthwise_order_s32(shifts(m))),
                   c.lowering.scratch(c.node, 2 * picture), c.y()});
}

void emit_s8_generic(const Convolution& c, Kernel kernel) {
  const auto m = ops::conv_multipliers(c.lowering.graph(), c.node);
  c.lowering.emit(c.node, kernel, c.s8_args(),
                  {c.x(), c.lowering.read(c.node.inputs[1]), c.constant("bias", padded_s32(c.bias<int32_t>(), 1)),
                   c.constant("multipliers", multiplier_tensor(m)), c.y()});
}

void emit_f32_generic(const Convolution& c, Kernel kernel) {
  c.lowering.emit(c.node, kernel, c.f32_args(), {c.x(), c.lowering.read(c.node.inputs[1]), c.constant("bias", padded_f32(c.bias<float>(), 1)), c.y()});
}

void emit_f32_avx2(const Convolution& c, int64_t picture) {
  c.lowering.emit(c.node, Kernel::conv2d_f32_x86_avx2, c.f32_args(),
                  {c.x(), c.constant("weights", pack_conv2d_f32_avx2(c.weights)), c.constant("bias", padded_f32(c.bias<float>(), 8)),
                   c.lowering.scratch(c.node, 4 * picture), c.y()});
}

/// True when a fast dense kernel took the node.
bool emit_dense_x86(const Convolution& c, bool is_f32) {
  const int64_t picture = padded_picture(c.window, c.in_c);
  if (picture < 0 || !c.lowering.has(Isa::avx2)) return false;
  if (is_f32) emit_f32_avx2(c, picture);
  else if (c.lowering.has(Isa::avx512vnni)) emit_s8_avx512vnni(c, picture);
  else emit_s8_avx2(c, picture);
  return true;
}

/// 1HWC weights of a depthwise convolution of one channel as the OHW1 of the dense convolution that it is.
Tensor as_dense_weights(const Tensor& weights) {
  const Shape& s = weights.shape();
  const size_t size = dtype_bytes(weights.dtype());
  const auto taps = static_cast<size_t>(s[1] * s[2]), outputs = static_cast<size_t>(s[3]);
  Tensor dense(weights.dtype(), Shape{s[3], s[1], s[2], 1});
  auto to = dense.mutable_bytes();
  const auto from = weights.bytes();
  for (size_t t = 0; t < taps; ++t)
    for (size_t o = 0; o < outputs; ++o) std::copy_n(&from[(t * outputs + o) * size], size, &to[(o * taps + t) * size]);
  return dense;
}

bool emit_depthwise_x86(Convolution& c, bool is_f32) {
  constexpr int kMaxTaps = 64;
  if (!c.lowering.has(Isa::avx2)) return false;
  if (c.in_c == 1 && padded_picture(c.window, 1) >= 0) {
    c.weights = as_dense_weights(c.weights);
    return emit_dense_x86(c, is_f32);
  }
  if (c.in_c != c.out_c) return false;
  if (is_f32) {
    emit_f32_generic(c, Kernel::depthwise_conv2d_f32_x86_avx2);
    return true;
  }
  const int64_t picture = padded_picture(c.window, (int64_t{c.in_c} + 15) / 16 * 16);
  if (picture < 0 || int64_t{c.window.kernel_h} * c.window.kernel_w > kMaxTaps) return false;
  emit_depthwise_s8_x86(c, picture);
  return true;
}

}  // namespace

void lower_conv2d(Lowering& lowering, const graph::Node& node) {
  const bool is_f32 = is_float(lowering, node);
  const Convolution c = make_convolution(lowering, node);
  if (emit_dense_x86(c, is_f32)) return;
  is_f32 ? emit_f32_generic(c, Kernel::conv2d_f32) : emit_s8_generic(c, Kernel::conv2d_s8);
}

void lower_depthwise_conv2d(Lowering& lowering, const graph::Node& node) {
  const bool is_f32 = is_float(lowering, node);
  Convolution c = make_convolution(lowering, node);
  if (emit_depthwise_x86(c, is_f32)) return;
  is_f32 ? emit_f32_generic(c, Kernel::depthwise_conv2d_f32) : emit_s8_generic(c, Kernel::depthwise_conv2d_s8);
}

namespace {

template <class T>
Tensor bias_or_zeros(Lowering& lowering, const graph::Node& node, int64_t n) {
  if (node.inputs.size() < 3 || node.inputs[2] == graph::kNone) return Tensor(dtype_of<T>(), Shape{n});
  return parameter(lowering, node, 2);
}

void lower_fully_connected_f32(Lowering& lowering, const graph::Node& node, int32_t in_n, int32_t out_n) {
  const auto range = float_range(node);
  const Kernel kernel = lowering.has(Isa::avx2) ? Kernel::fully_connected_f32_x86_avx2 : Kernel::fully_connected_f32;
  lowering.emit(node, kernel, kinglet_fully_connected_f32_args{in_n, out_n, range.min, range.max},
                {lowering.read(node.inputs[0]), lowering.read(node.inputs[1]), lowering.constant(node.name + "_bias", bias_or_zeros<float>(lowering, node, out_n)),
                 lowering.write(node)});
}

void lower_fully_connected_s8(Lowering& lowering, const graph::Node& node, int32_t in_n, int32_t out_n) {
  const auto m = ops::fully_connected_multipliers(lowering.graph(), node);
  const auto range = integer_range(lowering, node);
  const bool once = lowering.target().numerics == ops::Numerics::litert2 && node.rule == graph::NodeRule::model;
  const kinglet_fully_connected_s8_args args{in_n, out_n, grid(node, input_value(lowering, node, 0)).zero, grid(node, output_value(lowering, node)).zero,
                                             range.min, range.max, m.size() == 1 ? 0 : 1, once ? 1 : 0, ops::weight_zero_point(lowering.graph(), node)};
  const Kernel kernel = lowering.has(Isa::avx2) ? Kernel::fully_connected_s8_x86_avx2 : Kernel::fully_connected_s8;
  lowering.emit(node, kernel, args,
                {lowering.read(node.inputs[0]), lowering.read(node.inputs[1]), lowering.constant(node.name + "_bias", bias_or_zeros<int32_t>(lowering, node, out_n)),
                 lowering.constant(node.name + "_multipliers", multiplier_tensor(m)), lowering.write(node)});
}

}  // namespace

void lower_fully_connected(Lowering& lowering, const graph::Node& node) {
  const Shape& w = parameter(lowering, node, 1).shape();
  const int32_t in_n = to_int32(node, w[1]), out_n = to_int32(node, w[0]);
  is_float(lowering, node) ? lower_fully_connected_f32(lowering, node, in_n, out_n) : lower_fully_connected_s8(lowering, node, in_n, out_n);
}

}  // namespace kinglet::plan
