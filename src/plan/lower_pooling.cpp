// Pools, means, padding and softmax.
#include <algorithm>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "plan/lowering.h"

namespace kinglet::plan {

namespace {

void emit_unary(Lowering& lowering, const graph::Node& node, Kernel kernel, const Args& args) {
  const Operand x = lowering.read(node.inputs[0]);
  lowering.emit(node, kernel, args, {x, lowering.write(node)});
}

}  // namespace

void lower_pool2d(Lowering& lowering, const graph::Node& node) {
  const ops::Window w = ops::node_window(lowering.graph(), node);
  const kinglet_window window{w.in_h, w.in_w, w.out_h, w.out_w, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, 1, 1, w.pad_top, w.pad_left};
  const int32_t channels = to_int32(node, output_value(lowering, node).shape[3]);
  const bool average = node.op == graph::OpKind::AveragePool2d;
  if (is_float(lowering, node)) {
    const auto range = float_range(node);
    return emit_unary(lowering, node, average ? Kernel::average_pool2d_f32 : Kernel::max_pool2d_f32, kinglet_pool2d_f32_args{window, channels, range.min, range.max});
  }
  const auto range = integer_range(lowering, node);
  emit_unary(lowering, node, average ? Kernel::average_pool2d_s8 : Kernel::max_pool2d_s8, kinglet_pool2d_s8_args{window, channels, range.min, range.max, node.rule == graph::NodeRule::legacy_u8 ? 1 : 0});
}

namespace {

/// The input's axes as [kept, reduced, kept, reduced, kept], neighbours of one kind merged.
kinglet_reduction make_reduction(const graph::Node& node, const Shape& x, const std::vector<int>& axes) {
  int64_t size[5] = {1, 1, 1, 1, 1};
  int slot = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x[axis] == 1) continue;
    const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (reduced != (slot % 2 == 1)) ++slot;
    if (slot > 4) ops::refuse(node, "averages over axes that lie too far apart");
    size[slot] *= x[axis];
  }
  // One reduced run: what follows it is the innermost axis, along which kernels read.
  if (slot <= 2) size[4] = size[2], size[3] = size[1], size[1] = size[2] = 1;
  for (int64_t s : size) to_int32(node, s);
  return {static_cast<int32_t>(size[0]), static_cast<int32_t>(size[1]), static_cast<int32_t>(size[2]), static_cast<int32_t>(size[3]), static_cast<int32_t>(size[4])};
}

}  // namespace

void lower_mean(Lowering& lowering, const graph::Node& node) {
  const auto& x = input_value(lowering, node, 0);
  const auto& y = output_value(lowering, node);
  const kinglet_reduction shape = make_reduction(node, x.shape, node.as<graph::MeanAttrs>().axes);
  if (is_float(lowering, node)) return emit_unary(lowering, node, Kernel::mean_f32, kinglet_mean_f32_args{shape});
  const Grid from = grid(node, x), to = grid(node, y);
  const auto m = ops::mean_multiplier(from.scale, to.scale, x.shape.elements() / std::max<int64_t>(y.shape.elements(), 1));
  emit_unary(lowering, node, Kernel::mean_s8, kinglet_mean_s8_args{shape, from.zero, to.zero, {m.mantissa, m.shift}});
}

namespace {

/// Axes right-aligned in four; an axis that is not padded is merged into the one before it, for longer rows.
kinglet_padding make_padding(const graph::Node& node, const Shape& x, const Shape& y) {
  const auto& attrs = node.as<graph::PadAttrs>();
  kinglet_padding p{{1, 1, 1, 1}, {0, 0, 0, 0}, {1, 1, 1, 1}};
  int64_t run = 1;  // values that the axes to the right hold together
  int slot = 4;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    const auto at = static_cast<size_t>(axis);
    const bool padded = attrs.before[at] != 0 || attrs.after[at] != 0;
    if (!padded && axis > 0) {
      run *= x[axis];
      continue;
    }
    if (--slot < 0) ops::refuse(node, "pads more than four axes");
    p.in[slot] = to_int32(node, x[axis] * run);
    p.before[slot] = to_int32(node, attrs.before[at] * run);
    p.out[slot] = to_int32(node, y[axis] * run);
    run = 1;
  }
  return p;
}

}  // namespace

void lower_pad(Lowering& lowering, const graph::Node& node) {
  const kinglet_padding shape = make_padding(node, input_value(lowering, node, 0).shape, output_value(lowering, node).shape);
  if (is_float(lowering, node)) return emit_unary(lowering, node, Kernel::pad_f32, kinglet_pad_f32_args{shape});
  emit_unary(lowering, node, Kernel::pad_s8, kinglet_pad_s8_args{shape, grid(node, output_value(lowering, node)).zero});
}

void lower_softmax(Lowering& lowering, const graph::Node& node) {
  const auto& x = input_value(lowering, node, 0);
  const float beta = node.as<graph::SoftmaxAttrs>().beta;
  const int32_t n = to_int32(node, x.shape.back()), rows = to_int32(node, x.shape.elements() / std::max<int64_t>(n, 1));
  if (is_float(lowering, node)) return emit_unary(lowering, node, Kernel::softmax_f32, kinglet_softmax_f32_args{rows, n, beta});
  constexpr int32_t kMostClasses = 4095;  // the sum of exponentials is a Q12.19 in 31 bits
  if (n > kMostClasses) ops::refuse(node, "has " + std::to_string(n) + " classes", std::to_string(kMostClasses) + " is the most in int8");
  const auto table = ops::softmax_table(beta, grid(node, x).scale);
  const Operand source = lowering.read(node.inputs[0]);
  const Operand constant = lowering.constant(node.name + "_table", Tensor::of<int32_t>(Shape{256}, std::span<const int32_t>(table.exp_q31)));
  lowering.emit(node, Kernel::softmax_s8, kinglet_softmax_s8_args{rows, n}, {source, constant, lowering.write(node)});
}

}  // namespace kinglet::plan
