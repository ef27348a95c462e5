// Operators that work element by element, and normalization.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::ValueId;

namespace {

/// numbers: rank of the other operand, then the order of its axes. Leading axes of 1 are made up as NumPy would.
Tensor broadcastable(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  std::vector<int64_t> dims(static_cast<size_t>(numbers[0]) - static_cast<size_t>(tensor.shape().rank()), 1);
  dims.insert(dims.end(), tensor.shape().dims().begin(), tensor.shape().dims().end());
  return permuted(tensor.reshaped(Shape(dims)), Order(numbers.begin() + 1, numbers.end()));
}

Tensor negated(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  Tensor out = broadcastable(tensor, numbers);
  for (float& v : out.mutable_data<float>()) v = -v;
  return out;
}

Tensor inverted(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  Tensor out = broadcastable(tensor, numbers);
  for (float& v : out.mutable_data<float>()) v = 1 / v;
  return out;
}

ValueId constant_operand(Importer& importer, const Source& source, int i, const Entry& other, Importer::Change change = broadcastable) {
  const Shape& shape = importer.float_constant(source, i).tensor->shape();
  const int rank = static_cast<int>(other.order.size());
  if (shape.rank() > rank || (shape.rank() == rank && rank > 0 && shape[0] != 1)) throw Unknown{"a constant of " + shape.str() + " for pictures"};
  std::vector<int64_t> numbers{rank};
  numbers.insert(numbers.end(), other.order.begin(), other.order.end());
  Order axis_map;
  for (int a = 0; a < shape.rank(); ++a) axis_map.push_back(inverse(other.order)[static_cast<size_t>(a + rank - shape.rank())]);
  return importer.constant(source, i, change, numbers, axis_map, true);
}

/// before: a = fully_connected(x, w); y = a + constant    after: y = fully_connected(x, w, constant)
bool fuse_bias(Importer& importer, const Source& source, const Entry& x, int constant) {
  auto& nodes = importer.graph().nodes();
  if (nodes.empty() || nodes.back().op != OpKind::FullyConnected || nodes.back().inputs.size() != 2 || nodes.back().outputs[0] != x.id) return false;
  const Shape shape = importer.float_constant(source, constant).tensor->shape();
  const bool fits = shape.rank() == 1 && shape[0] == importer.graph().value(x.id).shape[1];
  if (!fits || importer.use_count(source.node.input(1 - constant)) != 1) return false;
  const Entry copy = x;
  nodes.back().inputs.push_back(importer.constant(source, constant, unchanged, {}, {0}, true));
  importer.define(source, 0, copy);
  return true;
}

/// before: h = hard_sigmoid(x); y = x * h    after: y = hard_swish(x), for the slope 1/6 and the middle 1/2
bool fuse_hard_swish(Importer& importer, const Source& source, const Entry& a, const Entry& b) {
  if (a.tensor || b.tensor || a.order != b.order) return false;
  const bool first = importer.hard_sigmoid_of(b.id) == a.id;
  if (!first && importer.hard_sigmoid_of(a.id) != b.id) return false;
  const Entry& x = first ? a : b;
  Entry result = importer.emit(source, OpKind::HardSwish, graph::NoAttrs{}, {x.id}, x.order);
  result.unflattened = x.unflattened;
  importer.define(source, 0, std::move(result));
  return true;
}

}  // namespace

void clip(Importer& importer, const Source& source) {
  const bool in_attributes = importer.file().opset() < 11;
  const float none = std::numeric_limits<float>::max();
  const float low = in_attributes ? source.real("min", -none) : importer.scalar(source, 1).value_or(-none);
  const float high = in_attributes ? source.real("max", none) : importer.scalar(source, 2).value_or(none);
  if (!source.has_input(1) && !source.has_input(2) && source.node.attribute().empty()) return importer.define(source, 0, Entry(importer.input(source, 0)));
  if (low <= -none && high == 6 && importer.only_reader_is(source.node.output(0), "Relu")) {  // the Relu behind it becomes the relu6
    importer.note_capped(source.node.output(0));
    return importer.define(source, 0, Entry(importer.input(source, 0)));
  }
  if (low != 0 || (high != 6 && high < none)) throw Unknown{fmt::format("a clip to {}..{}", low, high)};
  elementwise(importer, source, high == 6 ? OpKind::Relu6 : OpKind::Relu, graph::NoAttrs{});
}

void add_or_mul(Importer& importer, const Source& source) {
  const OpKind op = source.node.op_type() == "Add" ? OpKind::Add : OpKind::Mul;
  Entry a = importer.input(source, 0), b = importer.input(source, 1);
  if (a.tensor && a.tensor->elements() > 1) b = importer.settled(source, b);
  if (b.tensor && b.tensor->elements() > 1) a = importer.settled(source, a);
  if (a.tensor && b.tensor) throw Unknown{"both inputs are constants"};
  if (op == OpKind::Mul && fuse_hard_swish(importer, source, a, b)) return;
  if (op == OpKind::Add && (a.tensor || b.tensor) && fuse_bias(importer, source, a.tensor ? b : a, a.tensor ? 0 : 1)) return;
  const Entry& first = a.tensor ? b : a;
  std::vector<ValueId> inputs;
  if (a.tensor || b.tensor) {
    inputs = {a.tensor ? constant_operand(importer, source, 0, b) : a.id, b.tensor ? constant_operand(importer, source, 1, a) : b.id};
  } else if (a.unflattened && b.unflattened && *a.unflattened == *b.unflattened) {
    inputs = {a.id, b.id};
  } else {
    const Entry settled = importer.settled(source, a);
    Entry result = importer.emit(source, op, graph::ActivationAttrs{}, {settled.id, importer.in_order(source, b, settled.order)}, settled.order);
    return importer.define(source, 0, std::move(result));
  }
  Entry result = importer.emit(source, op, graph::ActivationAttrs{}, inputs, first.order);
  result.unflattened = first.unflattened;
  importer.define(source, 0, std::move(result));
}

/// x - constant and x / constant, as the addition and the product they are.
void sub_or_div(Importer& importer, const Source& source) {
  const Entry& divisor = importer.float_constant(source, 1);
  if (!divisor.quant.empty()) throw Unknown{"a constant in integers"};
  const Entry x = divisor.tensor->elements() > 1 ? importer.settled(source, importer.input(source, 0)) : importer.input(source, 0);
  if (x.tensor) throw Unknown{"both inputs are constants"};
  const bool sub = source.node.op_type() == "Sub";
  const ValueId constant = constant_operand(importer, source, 1, x, sub ? negated : inverted);
  Entry result = importer.emit(source, sub ? OpKind::Add : OpKind::Mul, graph::ActivationAttrs{}, {x.id, constant}, x.order);
  result.unflattened = x.unflattened;
  importer.define(source, 0, std::move(result));
}

/// max(0, min(1, alpha x + beta)) as relu6(6 alpha x + 6 beta) / 6.
void hard_sigmoid(Importer& importer, const Source& source) {
  const Entry x = importer.input(source, 0);
  if (x.tensor) throw Unknown{"its input is a constant"};
  const float slope = 6 * source.real("alpha", 0.2f), middle = 6 * source.real("beta", 0.5f);
  const bool unit = std::abs(slope - 1) < 1e-5f;
  auto with = [&](OpKind op, ValueId v, float number, graph::Activation activation) {
    return importer.emit(source, op, graph::ActivationAttrs{activation}, {v, importer.number(number)}, x.order);
  };
  const ValueId scaled = unit ? x.id : with(OpKind::Mul, x.id, slope, graph::Activation::none).id;
  const ValueId cut = with(OpKind::Add, scaled, middle, graph::Activation::relu6).id;
  Entry result = with(OpKind::Mul, cut, 1.0f / 6, graph::Activation::none);
  result.unflattened = x.unflattened;
  if (unit && middle == 3) importer.note_hard_sigmoid(result.id, x.id);
  importer.define(source, 0, std::move(result));
}

void hard_swish(Importer& importer, const Source& source) { elementwise(importer, source, OpKind::HardSwish, graph::NoAttrs{}); }

void relu(Importer& importer, const Source& source) {
  elementwise(importer, source, source.has_input(0) && importer.is_capped(source.node.input(0)) ? OpKind::Relu6 : OpKind::Relu, graph::NoAttrs{});
}

void sigmoid(Importer& importer, const Source& source) { elementwise(importer, source, OpKind::Logistic, graph::NoAttrs{}); }

void batch_norm(Importer& importer, const Source& source) {
  const Entry& x = importer.input(source, 0);
  if (source.integer("training_mode", 0) != 0) throw Unknown{"training mode"};
  const Order order = x.order.size() == 4 ? kNhwc : identity(2);
  std::vector<ValueId> inputs{importer.in_order(source, x, order)};
  for (int i = 1; i < 5; ++i) inputs.push_back(vector_constant(importer, source, i, i < 3));
  const graph::BatchNormAttrs attrs{source.real("epsilon", 1e-5f), 1 - source.real("momentum", 0.9f)};
  importer.define(source, 0, importer.emit(source, OpKind::BatchNorm, attrs, inputs, order));
}

void dropout(Importer& importer, const Source& source) {
  const float rate = importer.file().opset() < 12 ? source.real("ratio", 0.5f) : importer.scalar(source, 1).value_or(0.5f);
  elementwise(importer, source, OpKind::Dropout, graph::DropoutAttrs{std::clamp(rate, 0.0f, 1.0f)});
}

}  // namespace kinglet::formats::onnx
