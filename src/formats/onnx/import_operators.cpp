#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "formats/onnx/importer.h"
#include "ops/geometry.h"
#include "ops/numerics.h"

namespace kinglet::formats::onnx {

namespace {

using graph::OpKind;
using graph::Padding;
using graph::PaddingMode;
using graph::ValueId;

constexpr int64_t kMaxSide = 1 << 16;

int bounded(const Source& source, int64_t n, int64_t low, const char* what) {
  if (n < low || n > kMaxSide) throw Error(source.where, fmt::format("has a {} of {}", what, n), "the file is damaged");
  return static_cast<int>(n);
}

/// The two numbers of a per-axis attribute, 1 and 1 if it is absent.
std::array<int, 2> pair(const Source& source, const char* name) {
  const auto list = source.integers(name);
  if (list.empty()) return {1, 1};
  if (list.size() != 2) throw Error(source.where, fmt::format("has {} {} where 2 were expected", list.size(), name));
  return {bounded(source, list[0], 1, name), bounded(source, list[1], 1, name)};
}

int axis_of(const Source& source, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) throw Error(source.where, fmt::format("names axis {} of {}", axis, rank), "the file is damaged");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

struct WindowSize {
  int64_t in_h, in_w;
  std::array<int, 2> kernel, stride, dilation;
};

Padding read_padding(const Source& source, const WindowSize& w) {
  const auto mode = source.text("auto_pad", "NOTSET");
  if (mode == "VALID") return {};
  if (mode == "SAME_UPPER") return {.mode = PaddingMode::same};
  if (mode == "SAME_LOWER") {
    for (int i : {0, 1})
      if (int64_t{w.kernel[static_cast<size_t>(i)]} * w.dilation[static_cast<size_t>(i)] > kMaxSide) throw Error(source.where, "has an impossible kernel or dilation");
    const auto s = ops::resolve_window(bounded(source, w.in_h, 1, "height"), bounded(source, w.in_w, 1, "width"), w.kernel[0], w.kernel[1], w.stride[0],
                                       w.stride[1], w.dilation[0], w.dilation[1], {.mode = PaddingMode::same});
    return {PaddingMode::explicit_, s.pad_bottom, s.pad_top, s.pad_right, s.pad_left};
  }
  const auto pads = source.integers("pads");  // top, left, bottom, right
  if (std::all_of(pads.begin(), pads.end(), [](int64_t n) { return n == 0; })) return {};
  if (pads.size() != 4) throw Error(source.where, fmt::format("has {} pads where 4 were expected", pads.size()));
  if (std::any_of(pads.begin(), pads.end(), [](int64_t n) { return n < 0; })) throw Unknown{"a negative padding cuts the picture"};
  auto at = [&](size_t i) { return bounded(source, pads[i], 0, "padding"); };
  return {PaddingMode::explicit_, at(0), at(2), at(1), at(3)};
}

Tensor unchanged(const Tensor& t, const std::vector<int64_t>&) { return t; }
Tensor reordered(const Tensor& t, const std::vector<int64_t>& order) { return permuted(t, Order(order.begin(), order.end())); }

/// `order` is that of the result; the map for axes goes the other way.
ValueId reordered_constant(Importer& importer, const Source& source, int i, const Order& order, bool trainable) {
  return importer.constant(source, i, reordered, {order.begin(), order.end()}, inverse(order), trainable);
}

ValueId vector_constant(Importer& importer, const Source& source, int i, bool trainable) {
  const Entry& entry = importer.float_constant(source, i);
  if (entry.tensor->shape().rank() != 1) throw Unknown{fmt::format("input {} has {} dimensions where 1 was expected", i, entry.tensor->shape().rank())};
  return importer.constant(source, i, unchanged, {}, {0}, trainable);
}

void conv(Importer& importer, const Source& source) {
  const ValueId x = importer.in_order(source, importer.input(source, 0), kNhwc);
  const Shape w = importer.float_constant(source, 1).tensor->shape(), in = importer.graph().value(x).shape;
  if (w.rank() != 4) throw Unknown{fmt::format("weights of {} dimensions", w.rank())};
  const auto stride = pair(source, "strides"), dilation = pair(source, "dilations");
  const std::array kernel{bounded(source, w[2], 1, "kernel height"), bounded(source, w[3], 1, "kernel width")};
  const Padding padding = read_padding(source, {in[1], in[2], kernel, stride, dilation});
  const int64_t group = source.integer("group", 1);
  const bool depthwise = group > 1 && group == in[3] && w[1] == 1 && w[0] % group == 0;
  if (group != 1 && !depthwise) throw Unknown{fmt::format("group={} of {} channels (1 or the channel count only)", group, in[3])};
  std::vector<ValueId> inputs{x, reordered_constant(importer, source, 1, depthwise ? Order{1, 2, 3, 0} : kNhwc, true)};
  if (source.has_input(2)) inputs.push_back(vector_constant(importer, source, 2, true));
  graph::Attrs attrs = graph::Conv2dAttrs{stride[0], stride[1], dilation[0], dilation[1], padding};
  if (depthwise)
    attrs = graph::DepthwiseConv2dAttrs{stride[0], stride[1], dilation[0], dilation[1], static_cast<int>(w[0] / group), padding};
  importer.define(source, 0, importer.emit(source, depthwise ? OpKind::DepthwiseConv2d : OpKind::Conv2d, attrs, inputs, kNhwc));
}

/// With ceil_mode a last window may begin within the picture and end outside it.
bool ceil_changes_size(const ops::Window& w) {
  return (w.in_h + w.pad_top + w.pad_bottom - w.kernel_h) % w.stride_h != 0 || (w.in_w + w.pad_left + w.pad_right - w.kernel_w) % w.stride_w != 0;
}

void pool(Importer& importer, const Source& source) {
  ValueId x = importer.in_order(source, importer.input(source, 0), kNhwc);
  const Shape in = importer.graph().value(x).shape;
  const bool average = source.node.op_type() == "AveragePool";
  if (source.integers("kernel_shape").size() != 2) throw Error(source.where, "lacks a kernel_shape of 2 numbers");
  const auto kernel = pair(source, "kernel_shape"), stride = pair(source, "strides");
  if (pair(source, "dilations") != std::array{1, 1}) throw Unknown{"a dilated pool"};
  graph::Pool2dAttrs attrs{kernel[0], kernel[1], stride[0], stride[1], read_padding(source, {in[1], in[2], kernel, stride, {1, 1}})};
  const auto w = ops::resolve_window(bounded(source, in[1], 1, "height"), bounded(source, in[2], 1, "width"), kernel[0], kernel[1], stride[0], stride[1], 1, 1,
                                     attrs.padding);
  if (source.integer("ceil_mode", 0) != 0 && attrs.padding.mode != PaddingMode::same && ceil_changes_size(w)) throw Unknown{"ceil_mode with a partial last window"};
  const bool pads = w.pad_top || w.pad_bottom || w.pad_left || w.pad_right;
  if (average && pads && source.integer("count_include_pad", 0) != 0) {  // the zeros around the picture count: make them part of it
    x = importer.emit(source, OpKind::Pad, graph::PadAttrs{{0, w.pad_top, w.pad_left, 0}, {0, w.pad_bottom, w.pad_right, 0}}, {x}, kNhwc).id;
    attrs.padding = {};
  }
  importer.define(source, 0, importer.emit(source, average ? OpKind::AveragePool2d : OpKind::MaxPool2d, attrs, {x}, kNhwc));
}

void global_average_pool(Importer& importer, const Source& source) {
  const ValueId x = importer.in_order(source, importer.input(source, 0), kNhwc);
  importer.define(source, 0, importer.emit(source, OpKind::Mean, graph::MeanAttrs{{1, 2}, true}, {x}, kNhwc));
}

/// Axes are an attribute in older operator sets and an input in newer ones.
std::vector<int64_t> axes_of(Importer& importer, const Source& source) {
  return source.has_input(1) ? importer.integer_constant(source, 1) : source.integers("axes");
}

/// The order of what remains when the ONNX axes that `gone` marks have been dropped.
Order without(const Order& order, const std::vector<bool>& gone) {
  Order left;
  for (int axis : order)
    if (!gone[static_cast<size_t>(axis)]) left.push_back(axis - static_cast<int>(std::count(gone.begin(), gone.begin() + axis, true)));
  return left;
}

void reduce_mean(Importer& importer, const Source& source) {
  const Entry& entry = importer.input(source, 0);
  if (entry.tensor || entry.unflattened) throw Unknown{"an input whose order is not known"};
  const int rank = static_cast<int>(entry.order.size());
  std::vector<bool> gone(static_cast<size_t>(rank), false);
  for (int64_t axis : axes_of(importer, source)) gone[static_cast<size_t>(axis_of(source, axis, rank))] = true;
  if (rank == 0 || gone[0] || std::none_of(gone.begin(), gone.end(), [](bool g) { return g; })) throw Unknown{"a mean over the pictures of a batch"};
  graph::MeanAttrs attrs;
  attrs.keep_dims = source.integer("keepdims", 1) != 0;
  for (int i = 0; i < rank; ++i)
    if (gone[static_cast<size_t>(entry.order[static_cast<size_t>(i)])]) attrs.axes.push_back(i);
  const Order order = attrs.keep_dims ? entry.order : without(entry.order, gone);
  importer.define(source, 0, importer.emit(source, OpKind::Mean, attrs, {entry.id}, order));
}

/// One input, same shape, element by element: order and flattening pass through.
void elementwise(Importer& importer, const Source& source, OpKind op, graph::Attrs attrs) {
  const Entry entry = importer.input(source, 0);
  if (entry.tensor) throw Unknown{"its input is a constant"};
  Entry result = importer.emit(source, op, std::move(attrs), {entry.id}, entry.order);
  result.unflattened = entry.unflattened;
  importer.define(source, 0, std::move(result));
}

void clip(Importer& importer, const Source& source) {
  const bool in_attributes = importer.file().opset() < 11;
  const float none = std::numeric_limits<float>::max();
  const float low = in_attributes ? source.real("min", -none) : importer.scalar(source, 1).value_or(-none);
  const float high = in_attributes ? source.real("max", none) : importer.scalar(source, 2).value_or(none);
  if (low != 0 || (high != 6 && high < none)) throw Unknown{fmt::format("a clip to {}..{}", low, high)};
  elementwise(importer, source, high == 6 ? OpKind::Relu6 : OpKind::Relu, graph::NoAttrs{});
}

/// numbers: rank of the other operand, then the order of its axes. Leading axes of 1 are made up as NumPy would.
Tensor broadcastable(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  std::vector<int64_t> dims(static_cast<size_t>(numbers[0]) - static_cast<size_t>(tensor.shape().rank()), 1);
  dims.insert(dims.end(), tensor.shape().dims().begin(), tensor.shape().dims().end());
  return permuted(tensor.reshaped(Shape(dims)), Order(numbers.begin() + 1, numbers.end()));
}

ValueId constant_operand(Importer& importer, const Source& source, int i, const Entry& other) {
  const Shape& shape = importer.float_constant(source, i).tensor->shape();
  const int rank = static_cast<int>(other.order.size());
  if (shape.rank() > rank || (shape.rank() == rank && rank > 0 && shape[0] != 1)) throw Unknown{"a constant of " + shape.str() + " for pictures"};
  if (other.unflattened && shape.elements() != 1) throw Unknown{"it depends on the order of elements of a flattened picture"};
  std::vector<int64_t> numbers{rank};
  numbers.insert(numbers.end(), other.order.begin(), other.order.end());
  Order axis_map;
  for (int a = 0; a < shape.rank(); ++a) axis_map.push_back(inverse(other.order)[static_cast<size_t>(a + rank - shape.rank())]);
  return importer.constant(source, i, broadcastable, numbers, axis_map, true);
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

void add_or_mul(Importer& importer, const Source& source) {
  const OpKind op = source.node.op_type() == "Add" ? OpKind::Add : OpKind::Mul;
  const Entry a = importer.input(source, 0), b = importer.input(source, 1);
  if (a.tensor && b.tensor) throw Unknown{"both inputs are constants"};
  if (op == OpKind::Add && (a.tensor || b.tensor) && fuse_bias(importer, source, a.tensor ? b : a, a.tensor ? 0 : 1)) return;
  const Entry& first = a.tensor ? b : a;
  std::vector<ValueId> inputs;
  if (a.tensor || b.tensor) {
    inputs = {a.tensor ? constant_operand(importer, source, 0, b) : a.id, b.tensor ? constant_operand(importer, source, 1, a) : b.id};
  } else if (a.unflattened && b.unflattened && *a.unflattened == *b.unflattened) {
    inputs = {a.id, b.id};
  } else {
    if (a.unflattened) throw Unknown{"it depends on the order of elements of a flattened picture"};
    inputs = {a.id, importer.in_order(source, b, a.order)};
  }
  Entry result = importer.emit(source, op, graph::ActivationAttrs{}, inputs, first.order);
  result.unflattened = first.unflattened;
  importer.define(source, 0, std::move(result));
}

/// numbers: 1 if the weights are I x O, then the C, H and W that the I inputs were flattened from (or none).
Tensor dense_weights(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  const Tensor w = numbers[0] ? permuted(tensor, {1, 0}) : tensor;
  if (numbers.size() == 1) return w;
  const Shape split{w.shape()[0], numbers[1], numbers[2], numbers[3]};
  return permuted(w.reshaped(split), kNhwc).reshaped(w.shape());
}

void fully_connected(Importer& importer, const Source& source, bool weights_io) {
  const Entry x = importer.input(source, 0);
  if (x.tensor) throw Unknown{"its first input is a constant"};
  const Shape w = importer.float_constant(source, 1).tensor->shape();
  if (w.rank() != 2 || x.order.size() != 2) throw Unknown{"a product of tensors that are no matrices"};
  std::vector<int64_t> numbers{weights_io};
  if (x.unflattened) {
    if (x.unflattened->elements() != w[weights_io ? 0 : 1]) throw Error(source.where, "has weights " + w.str() + " that do not fit its input");
    numbers.insert(numbers.end(), x.unflattened->dims().begin(), x.unflattened->dims().end());
  }
  const ValueId in = x.unflattened ? x.id : importer.plain(source, x);
  std::vector<ValueId> inputs{in, importer.constant(source, 1, dense_weights, numbers, weights_io ? Order{1, 0} : Order{0, 1}, true)};
  if (source.has_input(2)) inputs.push_back(vector_constant(importer, source, 2, true));
  importer.define(source, 0, importer.emit(source, OpKind::FullyConnected, graph::FullyConnectedAttrs{}, inputs, identity(2)));
}

void gemm(Importer& importer, const Source& source) {
  const float beta = source.has_input(2) ? source.real("beta", 1) : 1;
  if (source.integer("transA", 0) != 0 || source.real("alpha", 1) != 1 || beta != 1) throw Unknown{"a Gemm with transA, alpha or beta"};
  fully_connected(importer, source, source.integer("transB", 0) == 0);
}

/// before: a = x * number; y = softmax(a)    after: y = softmax(x) beta=number. Gives the number and makes `x` its input.
float take_beta(const Importer& importer, const Source& source, Entry& x, graph::Graph& graph) {
  const auto& nodes = graph.nodes();
  if (nodes.empty() || nodes.back().op != OpKind::Mul || nodes.back().outputs[0] != x.id || importer.use_count(source.node.input(0)) != 1) return 1;
  for (size_t i : {0u, 1u}) {
    const auto& factor = graph.value(nodes.back().inputs[i]).constant;
    if (!factor || factor->elements() != 1 || factor->dtype() != DType::f32) continue;
    const float beta = factor->data<float>()[0];
    if (!(beta > 0 && beta < 1e6f)) return 1;
    x.id = nodes.back().inputs[1 - i];
    return beta;
  }
  return 1;
}

void softmax(Importer& importer, const Source& source) {
  Entry x = importer.input(source, 0);
  const int rank = static_cast<int>(x.order.size());
  if (x.tensor || x.unflattened || rank < 2) throw Unknown{"an input whose order is not known"};
  const bool old_rule = importer.file().opset() < 13;
  const int axis = axis_of(source, source.integer("axis", old_rule ? 1 : -1), rank);
  const Shape shape = importer.onnx_shape(x);
  for (int i = axis + 1; old_rule && i < rank; ++i)
    if (shape[i] != 1) throw Unknown{"a softmax over several axes"};
  Order order = x.order;
  std::rotate(std::find(order.begin(), order.end(), axis), std::find(order.begin(), order.end(), axis) + 1, order.end());
  const float beta = take_beta(importer, source, x, importer.graph());
  const ValueId in = importer.in_order(source, x, order);
  importer.define(source, 0, importer.emit(source, OpKind::Softmax, graph::SoftmaxAttrs{beta}, {in}, order));
}

/// A tensor of the same elements in the file's sequence.
void reshape_to(Importer& importer, const Source& source, const Entry& entry, const Shape& target) {
  if (entry.unflattened) throw Unknown{"it depends on the order of elements of a flattened picture"};
  const Shape from = importer.onnx_shape(entry);
  if (target.rank() < 2 || target[0] != 1) throw Unknown{"a new shape of " + target.str() + " mixes the pictures of a batch"};
  const bool plain = same_sequence(from, entry.order, identity(from.rank()));
  const bool flattens = target.rank() == 2 && entry.order == kNhwc;
  if (!plain && !flattens) throw Unknown{"its input would have to be transposed"};
  const bool picture = target.rank() == 4 && same_sequence(target, kNhwc, identity(4));
  const Order order = picture ? kNhwc : identity(target.rank());
  const Shape ours = permuted(target, order);
  const auto& value = importer.graph().value(entry.id);
  const std::vector<int64_t> rest(ours.dims().begin() + 1, ours.dims().end());
  Entry result = importer.emit(source, OpKind::Reshape, graph::ReshapeAttrs{rest}, {entry.id}, order, value.dtype, value.quant);
  if (!plain) result.unflattened = Shape{from[1], from[2], from[3]};
  importer.define(source, 0, std::move(result));
}

Entry reshape_input(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  if (entry.tensor) throw Unknown{"its input is a constant"};
  return entry;
}

void flatten(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  if (from.rank() < 1 || axis_of(source, source.integer("axis", 1), from.rank()) != 1) throw Unknown{"flattens along another axis than 1"};
  reshape_to(importer, source, entry, Shape{from[0], from.elements()});
}

void reshape(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  auto dims = importer.integer_constant(source, 1);
  int64_t known = 1;
  int64_t* open = nullptr;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && static_cast<int>(i) < from.rank()) dims[i] = from[static_cast<int>(i)];
    if (dims[i] == -1 && !open) {
      open = &dims[i];
      continue;
    }
    if (dims[i] < 1 || dims[i] > (int64_t{1} << 31)) throw Error(source.where, fmt::format("asks for a dimension of {}", dims[i]), "the file is damaged");
    if (known > (int64_t{1} << 31)) throw Error(source.where, "asks for an impossibly large shape", "the file is damaged");
    known *= dims[i];
  }
  if (open) *open = from.elements() / known;
  reshape_to(importer, source, entry, Shape(dims));
}

void squeeze(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  std::vector<bool> gone(static_cast<size_t>(from.rank()), false);
  for (int64_t axis : axes_of(importer, source)) gone[static_cast<size_t>(axis_of(source, axis, from.rank()))] = true;
  std::vector<int64_t> dims;
  for (int i = 0; i < from.rank(); ++i)
    if (!gone[static_cast<size_t>(i)]) dims.push_back(from[i]);
    else if (from[i] != 1 || i == 0) throw Unknown{fmt::format("squeezes axis {} of {}", i, from.str())};
  if (dims.size() == static_cast<size_t>(from.rank())) throw Unknown{"squeezes axes that it does not name"};
  reshape_to(importer, source, entry, Shape(dims));
}

/// No node: only the book-keeping of axes changes.
void transpose(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const int rank = entry.tensor ? entry.tensor->shape().rank() : static_cast<int>(entry.order.size());
  Order perm = identity(rank);
  std::reverse(perm.begin(), perm.end());
  if (const auto list = source.integers("perm"); !list.empty()) {
    if (static_cast<int>(list.size()) != rank) throw Error(source.where, fmt::format("permutes {} axes of {}", list.size(), rank), "the file is damaged");
    for (size_t i = 0; i < list.size(); ++i) perm[i] = axis_of(source, list[i], rank);
  }
  Order sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != identity(rank)) throw Error(source.where, "names an axis twice", "the file is damaged");
  if (entry.tensor) {
    importer.file().spend(entry.tensor->size_bytes());
    entry.tensor = permuted(*entry.tensor, perm);
    if (entry.quant.axis >= 0) entry.quant.axis = inverse(perm)[static_cast<size_t>(entry.quant.axis)];
    entry.source += "/transposed";
  } else {
    if (entry.unflattened) throw Unknown{"it depends on the order of elements of a flattened picture"};
    if (rank > 0 && perm[0] != 0) throw Unknown{"it moves the dimension of pictures"};
    const Order back = inverse(perm);
    for (int& axis : entry.order) axis = back[static_cast<size_t>(axis)];
  }
  importer.define(source, 0, std::move(entry));
}

void pad(Importer& importer, const Source& source) {
  const Entry& x = importer.input(source, 0);
  if (x.tensor || x.unflattened || source.has_input(3)) throw Unknown{"a padding of named axes or of a flattened picture"};
  const bool in_attributes = importer.file().opset() < 11;
  const auto pads = in_attributes ? source.integers("pads") : importer.integer_constant(source, 1);
  const float value = in_attributes ? source.real("value", 0) : importer.scalar(source, 2).value_or(0);
  if (source.text("mode", "constant") != "constant" || value != 0) throw Unknown{"a padding with something else than zeros"};
  const size_t rank = x.order.size();
  if (pads.size() != 2 * rank) throw Error(source.where, fmt::format("has {} pads for {} dimensions", pads.size(), rank), "the file is damaged");
  if (std::any_of(pads.begin(), pads.end(), [](int64_t n) { return n < 0; })) throw Unknown{"a negative padding cuts the picture"};
  graph::PadAttrs attrs;
  for (int axis : x.order) {
    attrs.before.push_back(bounded(source, pads[static_cast<size_t>(axis)], 0, "padding"));
    attrs.after.push_back(bounded(source, pads[static_cast<size_t>(axis) + rank], 0, "padding"));
  }
  importer.define(source, 0, importer.emit(source, OpKind::Pad, attrs, {x.id}, x.order));
}

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

void constant(Importer& importer, const Source& source) {
  Entry entry;
  if (const auto* a = source.attribute("value"); a && a->has_t()) entry.tensor = importer.file().tensor(a->t(), source.where);
  else if (const auto* f = source.attribute("value_float")) entry.tensor = Tensor::scalar<float>(f->f());
  else if (const auto* i = source.attribute("value_int")) entry.tensor = Tensor::scalar<int64_t>(i->i());
  else if (const auto* n = source.attribute("value_ints")) entry.tensor = Tensor::of<int64_t>(Shape{n->ints_size()}, source.integers("value_ints"));
  else if (const auto* r = source.attribute("value_floats"))
    entry.tensor = Tensor::of<float>(Shape{r->floats_size()}, std::vector<float>(r->floats().begin(), r->floats().end()));
  else throw Unknown{"a constant that is no tensor of numbers"};
  importer.define(source, 0, std::move(entry));
}

std::vector<int32_t> zero_points(Importer& importer, const Source& source, size_t count) {
  if (!source.has_input(2)) return std::vector<int32_t>(count, 0);
  const Entry& entry = importer.input(source, 2);
  if (!entry.tensor) throw Unknown{"a zero point that is no constant"};
  const Tensor& t = *entry.tensor;
  std::vector<int32_t> list;
  if (t.dtype() == DType::s8) list.assign(t.data<int8_t>().begin(), t.data<int8_t>().end());
  else if (t.dtype() == DType::u8) list.assign(t.data<uint8_t>().begin(), t.data<uint8_t>().end());
  else if (t.dtype() == DType::s32) list.assign(t.data<int32_t>().begin(), t.data<int32_t>().end());
  else throw Unknown{"a zero point of " + std::string(dtype_name(t.dtype()))};
  if (list.size() != count) throw Error(source.where, fmt::format("has {} scales and {} zero points", count, list.size()), "the file is damaged");
  return list;
}

std::pair<int32_t, int32_t> zero_point_range(DType dtype) {
  if (dtype == DType::s8) return {-128, 127};
  if (dtype == DType::u8) return {0, 255};
  return {0, 0};
}

/// Scale and zero point; `shape` is the tensor's in the file's order.
graph::QuantParams quant_params(Importer& importer, const Source& source, const Shape& shape, DType dtype) {
  const Entry& scale = importer.float_constant(source, 1);
  if (scale.tensor->dtype() != DType::f32 || scale.tensor->elements() == 0) throw Unknown{"scales that are no numbers"};
  if (scale.tensor->shape().rank() > 1 || source.integer("block_size", 0) != 0) throw Unknown{"scales in blocks"};
  graph::QuantParams quant;
  quant.scale.assign(scale.tensor->data<float>().begin(), scale.tensor->data<float>().end());
  quant.zero_point = zero_points(importer, source, quant.scale.size());
  for (float s : quant.scale)
    if (!(s > 0) || s > 1e30f) throw Error(source.where, fmt::format("has the impossible scale {}", s));
  const auto [low, high] = zero_point_range(dtype);
  for (int32_t zero : quant.zero_point)
    if (zero < low || zero > high) throw Error(source.where, fmt::format("has the zero point {}, outside {}..{}", zero, low, high));
  if (scale.tensor->shape().rank() == 0 || quant.scale.size() == 1) return quant;
  quant.axis = axis_of(source, source.integer("axis", 1), shape.rank());
  if (shape[quant.axis] != static_cast<int64_t>(quant.scale.size()))
    throw Error(source.where, fmt::format("has {} scales for axis {} of {}", quant.scale.size(), quant.axis, shape.str()), "the file is damaged");
  return quant;
}

void dequantize_linear(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const DType dtype = entry.tensor ? entry.tensor->dtype() : importer.graph().value(entry.id).dtype;
  const Shape shape = entry.tensor ? entry.tensor->shape() : importer.onnx_shape(entry);
  const auto quant = quant_params(importer, source, shape, dtype);
  const bool byte = dtype == DType::s8 || dtype == DType::u8;
  if (entry.tensor) {
    if ((!byte && dtype != DType::s32) || !entry.quant.empty()) throw Unknown{"dequantizes " + std::string(dtype_name(dtype))};
    entry.quant = quant;
    entry.source = source.node.input(0) + entry.source;
    return importer.define(source, 0, std::move(entry));
  }
  auto& value = importer.graph().value(entry.id);
  if (!byte || quant.per_channel()) throw Unknown{"a quantization that is not of 8 bits per tensor"};
  if (!value.quant.empty() && !(value.quant == quant)) throw Unknown{"another scale or zero point than its input was made with"};
  value.quant = quant;
  elementwise(importer, source, OpKind::Dequantize, graph::NoAttrs{});
}

Tensor quantized(const Tensor& tensor, const graph::QuantParams& quant, DType dtype) {
  Tensor out(dtype, tensor.shape());
  int64_t inner = 1;
  for (int axis = quant.axis + 1; quant.axis >= 0 && axis < tensor.shape().rank(); ++axis) inner *= tensor.shape()[axis];
  const auto x = tensor.data<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = quant.axis < 0 ? 0 : i / static_cast<size_t>(inner) % quant.scale.size();
    out.mutable_bytes()[i] = static_cast<std::byte>(ops::quantize_value(x[i], quant.scale[c], quant.zero_point[c], dtype));
  }
  return out;
}

void quantize_linear(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const Shape shape = entry.tensor ? entry.tensor->shape() : importer.onnx_shape(entry);
  const Entry* zero = source.has_input(2) ? &importer.input(source, 2) : nullptr;
  if (zero && !zero->tensor) throw Unknown{"a zero point that is no constant"};
  const DType dtype = zero ? zero->tensor->dtype() : DType::u8;
  const auto quant = quant_params(importer, source, shape, dtype);
  if (dtype != DType::s8 && dtype != DType::u8) throw Unknown{"quantizes to " + std::string(dtype_name(dtype))};
  if (entry.tensor) {  // weights that are quantized as the model runs
    if (entry.tensor->dtype() != DType::f32) throw Unknown{"quantizes no float32"};
    importer.file().spend(static_cast<uint64_t>(entry.tensor->elements()));
    entry.tensor = quantized(*entry.tensor, quant, dtype);
    return importer.define(source, 0, std::move(entry));
  }
  if (quant.per_channel()) throw Unknown{"an activation quantized per channel"};
  if (importer.graph().value(entry.id).dtype != DType::f32) throw Unknown{"quantizes no float32"};
  Entry result = importer.emit(source, OpKind::Quantize, graph::NoAttrs{}, {entry.id}, entry.order, dtype, quant);
  result.unflattened = entry.unflattened;
  importer.define(source, 0, std::move(result));
}

void identical(Importer& importer, const Source& source) { importer.define(source, 0, Entry(importer.input(source, 0))); }

using Map = void (*)(Importer&, const Source&);

Map find_map(std::string_view op) {
  static const std::unordered_map<std::string_view, Map> maps{
      {"Add", add_or_mul},
      {"AveragePool", pool},
      {"BatchNormalization", batch_norm},
      {"Clip", clip},
      {"Constant", constant},
      {"Conv", conv},
      {"DequantizeLinear", dequantize_linear},
      {"Dropout", dropout},
      {"Flatten", flatten},
      {"Gemm", gemm},
      {"GlobalAveragePool", global_average_pool},
      {"Identity", identical},
      {"MatMul", [](Importer& i, const Source& s) { fully_connected(i, s, true); }},
      {"MaxPool", pool},
      {"Mul", add_or_mul},
      {"Pad", pad},
      {"QuantizeLinear", quantize_linear},
      {"ReduceMean", reduce_mean},
      {"Relu", [](Importer& i, const Source& s) { elementwise(i, s, OpKind::Relu, graph::NoAttrs{}); }},
      {"Reshape", reshape},
      {"Sigmoid", [](Importer& i, const Source& s) { elementwise(i, s, OpKind::Logistic, graph::NoAttrs{}); }},
      {"Softmax", softmax},
      {"Squeeze", squeeze},
      {"Transpose", transpose},
  };
  auto it = maps.find(op);
  return it == maps.end() ? nullptr : it->second;
}

}  // namespace

void map_operator(Importer& importer, const Source& source) {
  const Map map = find_map(source.node.op_type());
  if (!map) throw Unknown{"an operator that Kinglet does not know"};
  map(importer, source);
}

}  // namespace kinglet::formats::onnx
