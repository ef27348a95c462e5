// Operators that work value by value: additions and products with broadcasting, byte tables, conversions.
#include <algorithm>

#include "ops/op_info.h"
#include "plan/lowering.h"

namespace kinglet::plan {

namespace {

/// Sizes and steps of NumPy broadcasting, neighbouring axes that both inputs walk alike merged into one.
kinglet_broadcast make_broadcast(const graph::Node& node, const Shape& out, const Shape& a, const Shape& b) {
  kinglet_broadcast s{{1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}};
  int slot = 4;
  int64_t step_a = 1, step_b = 1;
  bool last_a = false, last_b = false;
  for (int axis = out.rank() - 1; axis >= 0; --axis) {
    const int own_a = axis - (out.rank() - a.rank()), own_b = axis - (out.rank() - b.rank());
    if (out[axis] == 1) continue;
    const bool moves_a = own_a >= 0 && a[own_a] != 1, moves_b = own_b >= 0 && b[own_b] != 1;
    if (slot == 4 || moves_a != last_a || moves_b != last_b) {
      if (--slot < 0) ops::refuse(node, "repeats its inputs along too many axes");
      s.step_a[slot] = moves_a ? to_int32(node, step_a) : 0;
      s.step_b[slot] = moves_b ? to_int32(node, step_b) : 0;
    }
    s.size[slot] = to_int32(node, int64_t{s.size[slot]} * out[axis]);
    if (moves_a) step_a *= out[axis];
    if (moves_b) step_b *= out[axis];
    last_a = moves_a, last_b = moves_b;
  }
  if (slot == 4) s.step_a[3] = s.step_b[3] = 1;
  return s;
}

kinglet_multiplier to_c(const ops::Multiplier& m) { return {m.mantissa, m.shift}; }

/// Both inputs as large as the output can be overwritten.
std::vector<graph::ValueId> full_inputs(const Lowering& lowering, const graph::Node& node) {
  std::vector<graph::ValueId> list;
  for (size_t i = 0; i < 2; ++i)
    if (input_value(lowering, node, i).shape.elements() == output_value(lowering, node).shape.elements()) list.push_back(node.inputs[i]);
  return list;
}

void emit_binary(Lowering& lowering, const graph::Node& node, Kernel kernel, const Args& args) {
  const Operand a = lowering.read(node.inputs[0]), b = lowering.read(node.inputs[1]);
  lowering.emit(node, kernel, args, {a, b, lowering.write(node, full_inputs(lowering, node))});
}

kinglet_broadcast broadcast_of(const Lowering& lowering, const graph::Node& node) {
  return make_broadcast(node, output_value(lowering, node).shape, input_value(lowering, node, 0).shape, input_value(lowering, node, 1).shape);
}

void lower_binary_f32(Lowering& lowering, const graph::Node& node, Kernel kernel) {
  const auto range = float_range(node);
  emit_binary(lowering, node, kernel, kinglet_binary_f32_args{broadcast_of(lowering, node), range.min, range.max});
}

Kernel add_kernel(const Lowering& lowering) {
  if (lowering.has(Isa::avx512vnni)) return Kernel::add_s8_x86_avx512bw;
  return lowering.has(Isa::avx2) ? Kernel::add_s8_x86_avx2 : Kernel::add_s8;
}

}  // namespace

void lower_add(Lowering& lowering, const graph::Node& node) {
  if (is_float(lowering, node)) return lower_binary_f32(lowering, node, Kernel::add_f32);
  const Grid a = grid(node, input_value(lowering, node, 0)), b = grid(node, input_value(lowering, node, 1)), y = grid(node, output_value(lowering, node));
  const auto p = ops::add_params(a.scale, b.scale, y.scale);
  const auto range = integer_range(lowering, node);
  emit_binary(lowering, node, add_kernel(lowering),
              kinglet_add_s8_args{broadcast_of(lowering, node), a.zero, b.zero, y.zero, range.min, range.max, p.left_shift, to_c(p.input[0]), to_c(p.input[1]), to_c(p.output)});
}

void lower_mul(Lowering& lowering, const graph::Node& node) {
  if (is_float(lowering, node)) return lower_binary_f32(lowering, node, Kernel::mul_f32);
  const Grid a = grid(node, input_value(lowering, node, 0)), b = grid(node, input_value(lowering, node, 1)), y = grid(node, output_value(lowering, node));
  const auto m = ops::mul_multiplier(a.scale, b.scale, y.scale, lowering.target().numerics);
  const auto range = integer_range(lowering, node);
  emit_binary(lowering, node, lowering.has(Isa::avx2) ? Kernel::mul_s8_x86_avx2 : Kernel::mul_s8, kinglet_mul_s8_args{broadcast_of(lowering, node), a.zero, b.zero, y.zero, range.min, range.max, to_c(m)});
}

namespace {

int32_t count(const Lowering& lowering, const graph::Node& node) { return to_int32(node, output_value(lowering, node).shape.elements()); }

template <class Map>
void emit_table(Lowering& lowering, const graph::Node& node, bool from_unsigned, Map&& map) {
  Tensor table(DType::s8, Shape{256});
  auto entries = table.mutable_data<int8_t>();
  for (int byte = 0; byte < 256; ++byte)
    entries[static_cast<size_t>(byte)] = static_cast<int8_t>(map(from_unsigned ? byte : static_cast<int8_t>(byte)));
  const Operand x = lowering.read(node.inputs[0]), constant = lowering.constant(node.name + "_table", std::move(table));
  lowering.emit(node, Kernel::lut_s8, kinglet_count_args{count(lowering, node)}, {x, constant, lowering.write(node, std::span(node.inputs).first(1))});
}

/// Integers on one grid to those on another, as the reference rescales them.
int32_t regrid(int32_t x, const Grid& from, const Grid& to, const ops::Multiplier& m, const ops::ClampRange& range) {
  return std::clamp(ops::requantize(x - from.zero, m) + to.zero, range.min, range.max);
}

void emit_regrid_table(Lowering& lowering, const graph::Node& node, bool from_unsigned, const ops::ClampRange& range) {
  const Grid from = grid(node, input_value(lowering, node, 0)), to = grid(node, output_value(lowering, node));
  const auto m = ops::quantize_multiplier(double{from.scale} / double{to.scale});
  emit_table(lowering, node, from_unsigned, [&](int32_t x) { return regrid(x, from, to, m, range); });
}

}  // namespace

void lower_logistic(Lowering& lowering, const graph::Node& node) {
  if (is_float(lowering, node)) {
    const Operand x = lowering.read(node.inputs[0]);
    lowering.emit(node, Kernel::logistic_f32, kinglet_count_args{count(lowering, node)}, {x, lowering.write(node, node.inputs)});
    return;
  }
  grid(node, input_value(lowering, node, 0)), grid(node, output_value(lowering, node));
  const auto table = ops::logistic_table_s8(input_value(lowering, node, 0).quant, output_value(lowering, node).quant);
  emit_table(lowering, node, false, [&](int32_t x) { return table[static_cast<size_t>(x + 128)]; });
}

void lower_hard_swish(Lowering& lowering, const graph::Node& node) {
  if (is_float(lowering, node)) {
    const Operand x = lowering.read(node.inputs[0]);
    lowering.emit(node, Kernel::hard_swish_f32, kinglet_count_args{count(lowering, node)}, {x, lowering.write(node, node.inputs)});
    return;
  }
  grid(node, input_value(lowering, node, 0)), grid(node, output_value(lowering, node));
  const auto table = ops::hard_swish_table_s8(input_value(lowering, node, 0).quant, output_value(lowering, node).quant);
  emit_table(lowering, node, false, [&](int32_t x) { return table[static_cast<size_t>(x + 128)]; });
}

void lower_relu(Lowering& lowering, const graph::Node& node) {
  const auto kind = node.op == graph::OpKind::Relu6 ? graph::Activation::relu6 : graph::Activation::relu;
  if (is_float(lowering, node)) {
    const auto range = finite(ops::activation_range(kind));
    const Operand x = lowering.read(node.inputs[0]);
    lowering.emit(node, Kernel::clamp_f32, kinglet_clamp_f32_args{count(lowering, node), range.min, range.max}, {x, lowering.write(node, node.inputs)});
    return;
  }
  emit_regrid_table(lowering, node, false, ops::activation_range(kind, output_value(lowering, node).quant, DType::s8));
}

void lower_quantize(Lowering& lowering, const graph::Node& node) {
  const auto& x = input_value(lowering, node, 0);
  const auto& y = output_value(lowering, node);
  const auto range = ops::activation_range(graph::Activation::none, y.quant, y.dtype);
  if (x.dtype != DType::f32) return emit_regrid_table(lowering, node, x.dtype == DType::u8, range);
  const Grid to = grid(node, y);
  const Operand from = lowering.read(node.inputs[0]);
  lowering.emit(node, Kernel::quantize_f32, kinglet_quantize_f32_args{count(lowering, node), to.scale, to.zero, range.min, range.max}, {from, lowering.write(node)});
}

void lower_dequantize(Lowering& lowering, const graph::Node& node) {
  const auto& x = input_value(lowering, node, 0);
  const Grid from = grid(node, x);
  const Operand source = lowering.read(node.inputs[0]);
  lowering.emit(node, Kernel::dequantize_s8, kinglet_dequantize_s8_args{count(lowering, node), from.scale, from.zero, x.dtype == DType::u8 ? 1 : 0},
                {source, lowering.write(node)});
}

}  // namespace kinglet::plan
