// Operators that move values: transpositions, slices, concatenations, resizing; and the index of the largest.
#include <algorithm>
#include <array>

#include "ops/geometry.h"
#include "ops/op_info.h"
#include "plan/lowering.h"

namespace kinglet::plan {

namespace {

int64_t unit_bytes(const Lowering& lowering, const graph::Node& node) { return static_cast<int64_t>(dtype_bytes(output_value(lowering, node).dtype)); }

/// Input bytes between neighbours along each axis.
std::vector<int64_t> strides(const Shape& x, int64_t unit) {
  std::vector<int64_t> steps(static_cast<size_t>(x.rank()));
  for (int axis = x.rank() - 1; axis >= 0; --axis) steps[static_cast<size_t>(axis)] = unit, unit *= x[axis];
  return steps;
}

struct Axis {
  int64_t size, step;
};

/// Axes outermost first; those of one element go, and neighbours that lie as in one axis are merged. Bytes that lie
/// together are copied at once.
void emit_strided_copy(Lowering& lowering, const graph::Node& node, const std::vector<Axis>& axes, int64_t offset) {
  int64_t unit = unit_bytes(lowering, node);
  std::vector<Axis> merged;  // innermost first
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    if (axis->size == 1) continue;
    if (merged.empty() && axis->step == unit) unit *= axis->size;
    else if (!merged.empty() && axis->step == merged.back().size * merged.back().step) merged.back().size *= axis->size;
    else merged.push_back(*axis);
  }
  kinglet_strided_copy_args args{{1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}, to_int32(node, offset), to_int32(node, unit)};
  if (merged.size() > std::size(args.size)) ops::refuse(node, "has more than five axes of its own");
  for (size_t i = 0; i < merged.size(); ++i) args.size[4 - i] = to_int32(node, merged[i].size), args.step[4 - i] = to_int32(node, merged[i].step);
  const Operand x = lowering.read(node.inputs[0]);
  lowering.emit(node, Kernel::strided_copy, args, {x, lowering.write(node)});
}

}  // namespace

void lower_transpose(Lowering& lowering, const graph::Node& node) {
  ops::check_same_grid(lowering.graph(), node);
  const Shape &x = input_value(lowering, node, 0).shape, &y = output_value(lowering, node).shape;
  const auto steps = strides(x, unit_bytes(lowering, node));
  std::vector<Axis> axes;
  for (int axis = 0; axis < y.rank(); ++axis)
    axes.push_back({y[axis], steps[static_cast<size_t>(node.as<graph::TransposeAttrs>().perm[static_cast<size_t>(axis)])]});
  emit_strided_copy(lowering, node, axes, 0);
}

void lower_strided_slice(Lowering& lowering, const graph::Node& node) {
  ops::check_same_grid(lowering.graph(), node);
  const auto& a = node.as<graph::StridedSliceAttrs>();
  const auto steps = strides(input_value(lowering, node, 0).shape, unit_bytes(lowering, node));
  std::vector<Axis> axes;
  int64_t offset = 0;
  for (size_t axis = 0; axis < steps.size(); ++axis) {
    axes.push_back({(int64_t{a.end[axis]} - a.begin[axis] + a.stride[axis] - 1) / a.stride[axis], steps[axis] * a.stride[axis]});
    offset += a.begin[axis] * steps[axis];
  }
  emit_strided_copy(lowering, node, axes, offset);
}

// The kernel joins four inputs; of more the first four are joined in scratch memory, which is then the first of the rest.
void lower_concatenation(Lowering& lowering, const graph::Node& node) {
  ops::check_same_grid(lowering.graph(), node);
  const int axis = node.as<graph::ConcatenationAttrs>().axis;
  const Shape& y = output_value(lowering, node).shape;
  int64_t rows = 1;
  for (int i = 0; i < axis; ++i) rows *= y[i];
  constexpr size_t kInputs = std::size(kinglet_concatenate_args{}.bytes);
  struct Part {
    Operand from;
    int64_t bytes;
  };
  std::vector<Part> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto& x = input_value(lowering, node, i);
    if (x.shape.elements() > 0) parts.push_back({lowering.read(node.inputs[i]), x.shape.elements() / rows * unit_bytes(lowering, node)});
  }
  for (bool last = false; !last;) {
    last = parts.size() <= kInputs;
    kinglet_concatenate_args args{to_int32(node, rows), {0, 0, 0, 0}};
    std::vector<Operand> operands(kInputs, parts.front().from);
    int64_t bytes = 0;
    const size_t taken = std::min(parts.size(), kInputs);
    for (size_t i = 0; i < taken; ++i) args.bytes[i] = to_int32(node, parts[i].bytes), operands[i] = parts[i].from, bytes += parts[i].bytes;
    operands.push_back(last ? lowering.write(node) : lowering.scratch(node, bytes * rows));
    const Operand made = operands.back();
    if (last) lowering.emit(node, Kernel::concatenate, args, std::move(operands));
    else lowering.emit_part(node, Kernel::concatenate, args, std::move(operands), bytes * rows);
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(taken));
    parts.insert(parts.begin(), {made, bytes});
  }
}

void lower_resize_nearest(Lowering& lowering, const graph::Node& node) {
  ops::check_same_grid(lowering.graph(), node);
  const auto& a = node.as<graph::ResizeNearestAttrs>();
  const Shape& x = input_value(lowering, node, 0).shape;
  const auto places = [&](const char* what, int64_t in, int out) {
    return lowering.constant(node.name + what, Tensor::of<int32_t>(Shape{out}, ops::nearest_sources(static_cast<int>(in), out, a.align_corners, a.half_pixel)));
  };
  const kinglet_resize_nearest_args args{to_int32(node, x[2]), a.out_h, a.out_w, to_int32(node, x[3] * unit_bytes(lowering, node))};
  const Operand from = lowering.read(node.inputs[0]), rows = places("_rows", x[1], a.out_h), columns = places("_columns", x[2], a.out_w);
  lowering.emit(node, Kernel::resize_nearest, args, {from, rows, columns, lowering.write(node)});
}

void lower_arg_max(Lowering& lowering, const graph::Node& node) {
  const auto& a = node.as<graph::ArgMaxAttrs>();
  const auto& x = input_value(lowering, node, 0);
  if (x.dtype != DType::f32 && x.dtype != DType::s8) ops::refuse(node, "has no kernel for " + std::string(dtype_name(x.dtype)) + " data");
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < a.axis; ++i) outer *= x.shape[i];
  for (int i = a.axis + 1; i < x.shape.rank(); ++i) inner *= x.shape[i];
  const kinglet_arg_max_args args{to_int32(node, outer), to_int32(node, x.shape[a.axis]), to_int32(node, inner), a.wide ? 1 : 0};
  const Operand from = lowering.read(node.inputs[0]);
  lowering.emit(node, x.dtype == DType::f32 ? Kernel::arg_max_f32 : Kernel::arg_max_s8, args, {from, lowering.write(node)});
}

}  // namespace kinglet::plan
