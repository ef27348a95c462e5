#include "formats/tflite/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/tflite/reshape.h"

namespace kinglet::formats::tflite {

namespace {

using graph::OpKind;
using Result = std::variant<Mapped, Unknown>;

void need_inputs(const Operator& source, size_t low, size_t high) {
  const size_t n = source.inputs.size();
  if (n < low || n > high) throw Error(source.where, fmt::format("has {} inputs where {} to {} are possible", n, low, high));
  for (size_t i = 0; i < low; ++i)
    if (source.inputs[i] < 0) throw Error(source.where, fmt::format("lacks input {}", i));
}

/// The options table, nullptr if the file gives another one or none.
template <class Options>
const Options* options_of(const Operator& source) {
  return source.op.builtin_options_as<Options>();
}

template <class Options>
const Options& need_options(const Operator& source) {
  const auto* options = options_of<Options>(source);
  if (!options) throw Error(source.where, "lacks its options", "the file is damaged");
  return *options;
}

bool read_activation(fb::Activation code, graph::Activation& out) {
  switch (code) {
    case fb::Activation::NONE:
      out = graph::Activation::none;
      return true;
    case fb::Activation::RELU:
      out = graph::Activation::relu;
      return true;
    case fb::Activation::RELU6:
      out = graph::Activation::relu6;
      return true;
    default:
      return false;
  }
}

Unknown unknown_activation(fb::Activation code) { return {fmt::format("fused activation {}", fb::EnumNameActivation(code))}; }

graph::Padding read_padding(const Operator& source, fb::Padding code) {
  if (code != fb::Padding::SAME && code != fb::Padding::VALID)
    throw Error(source.where, fmt::format("has the padding {}", static_cast<int>(code)), "the file is damaged");
  return {.mode = code == fb::Padding::SAME ? graph::PaddingMode::same : graph::PaddingMode::valid};
}

bool runs_on(DType dtype) { return dtype == DType::f32 || dtype == DType::s8 || dtype == DType::u8; }

/// Weights must be constants of the input's own type: hybrid (float input, int8 weights) and computed ones stay opaque.
std::string weights_trouble(const Operator& source, const Tensors& tensors) {
  if (!tensors.has_data(source.inputs[1])) return "computed weights";
  const DType x = tensors.dtype(source.inputs[0]), w = tensors.dtype(source.inputs[1]);
  if (x != w) return fmt::format("{} weights for a {} input", dtype_name(w), dtype_name(x));
  if (source.inputs.size() > 2 && source.inputs[2] >= 0 && !tensors.has_data(source.inputs[2])) return "a computed bias";
  return {};
}

int64_t last_dim(const Operator& source, const Tensors& tensors, size_t input) {
  const Shape shape = tensors.shape(source.inputs[input]);
  if (shape.rank() != 4)
    throw Error(source.where,
                fmt::format("reads {} of shape {} where rank 4 was expected", tensors.label(source.inputs[input]), shape.str()));
  return shape[3];
}

Result map_conv2d(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 3);
  const auto& o = need_options<fb::Conv2DOptions>(source);
  graph::Conv2dAttrs a{.stride_h = o.stride_h(),
                       .stride_w = o.stride_w(),
                       .dilation_h = o.dilation_h_factor(),
                       .dilation_w = o.dilation_w_factor(),
                       .padding = read_padding(source, o.padding())};
  if (!read_activation(o.fused_activation_function(), a.activation)) return unknown_activation(o.fused_activation_function());
  if (auto trouble = weights_trouble(source, tensors); !trouble.empty()) return Unknown{trouble};
  const int64_t in = last_dim(source, tensors, 0), group = last_dim(source, tensors, 1);
  if (group > 0 && in != group && in % group == 0) return Unknown{fmt::format("{} groups", in / group)};
  return Mapped{OpKind::Conv2d, a, source.inputs};
}

Result map_depthwise(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 3);
  const auto& o = need_options<fb::DepthwiseConv2DOptions>(source);
  graph::DepthwiseConv2dAttrs a{.stride_h = o.stride_h(),
                                .stride_w = o.stride_w(),
                                .dilation_h = o.dilation_h_factor(),
                                .dilation_w = o.dilation_w_factor(),
                                .multiplier = o.depth_multiplier(),
                                .padding = read_padding(source, o.padding())};
  if (!read_activation(o.fused_activation_function(), a.activation)) return unknown_activation(o.fused_activation_function());
  if (auto trouble = weights_trouble(source, tensors); !trouble.empty()) return Unknown{trouble};
  const int64_t in = last_dim(source, tensors, 0), out = last_dim(source, tensors, 1);
  if (a.multiplier == 0 && in > 0) a.multiplier = static_cast<int>(out / in);
  return Mapped{OpKind::DepthwiseConv2d, a, source.inputs};
}

Result map_fully_connected(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 3);
  const auto& o = need_options<fb::FullyConnectedOptions>(source);
  graph::FullyConnectedAttrs a;
  if (!read_activation(o.fused_activation_function(), a.activation)) return unknown_activation(o.fused_activation_function());
  if (o.weights_format() != fb::WeightsFormat::DEFAULT) return Unknown{"shuffled weights"};
  if (auto trouble = weights_trouble(source, tensors); !trouble.empty()) return Unknown{trouble};
  const Shape x = tensors.shape(source.inputs[0]), w = tensors.shape(source.inputs[1]);
  if (source.outputs.size() == 1 && tensors.shape(source.outputs[0]).rank() != 2) return Unknown{"an output of more than two dimensions"};
  if (w.rank() == 2 && w[1] > 0 && x.elements() != w[1] && x.elements() % w[1] == 0)
    return Unknown{fmt::format("{} rows at once", x.elements() / w[1])};
  return Mapped{OpKind::FullyConnected, a, source.inputs};
}

template <class Options>
Result map_elementwise(OpKind kind, const Operator& source) {
  need_inputs(source, 2, 2);
  graph::ActivationAttrs a;
  const auto* o = options_of<Options>(source);
  if (o && !read_activation(o->fused_activation_function(), a.activation)) return unknown_activation(o->fused_activation_function());
  return Mapped{kind, a, source.inputs};
}

Result map_pool(OpKind kind, const Operator& source) {
  need_inputs(source, 1, 1);
  const auto& o = need_options<fb::Pool2DOptions>(source);
  graph::Pool2dAttrs a{.kernel_h = o.filter_height(),
                       .kernel_w = o.filter_width(),
                       .stride_h = o.stride_h(),
                       .stride_w = o.stride_w(),
                       .padding = read_padding(source, o.padding())};
  if (!read_activation(o.fused_activation_function(), a.activation)) return unknown_activation(o.fused_activation_function());
  return Mapped{kind, a, source.inputs};
}

Result map_mean(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto given = tensors.integers(source.inputs[1], source.where);
  if (!given) return Unknown{"computed axes"};
  const int rank = tensors.shape(source.inputs[0]).rank();
  std::set<int> axes;
  for (int64_t axis : *given) {
    if (axis < -rank || axis >= rank) throw Error(source.where, fmt::format("averages over axis {} of {}", axis, rank));
    axes.insert(static_cast<int>(axis < 0 ? axis + rank : axis));
  }
  if (axes.empty() || axes.count(0)) return Unknown{"a mean over the pictures of a batch"};
  const auto* o = options_of<fb::ReducerOptions>(source);
  return Mapped{OpKind::Mean, graph::MeanAttrs{{axes.begin(), axes.end()}, o && o->keep_dims()}, {source.inputs[0]}};
}

/// RESHAPE and SQUEEZE: the output's declared shape is the fact, whatever the shape operand says, unless it is only a placeholder.
Result map_reshape(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 1, 2);
  if (source.outputs.size() != 1) throw Error(source.where, "must have one output");
  const Shape x = tensors.shape(source.inputs[0]), declared = tensors.shape(source.outputs[0]);
  if (x.rank() == 0 || declared.rank() == 0) return Unknown{"a reshape that mixes the batch"};
  const auto y = x.elements() == declared.elements() ? declared : asked_shape(source, tensors, x);
  if (!y) return Unknown{fmt::format("a reshape of {} to {}, which does not fit", x.batch_str(), declared.batch_str())};
  if (y->rank() == 0 || x[0] != (*y)[0]) return Unknown{"a reshape that mixes the batch"};
  return Mapped{OpKind::Reshape, graph::ReshapeAttrs{{y->dims().begin() + 1, y->dims().end()}}, {source.inputs[0]}};
}

Result map_pad(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto given = tensors.integers(source.inputs[1], source.where);
  if (!given) return Unknown{"computed paddings"};
  const auto rank = static_cast<size_t>(tensors.shape(source.inputs[0]).rank());
  if (given->size() != 2 * rank) throw Error(source.where, fmt::format("has {} paddings for {} dimensions", given->size(), rank));
  graph::PadAttrs a;
  for (size_t i = 0; i < rank; ++i) {
    constexpr int64_t kLimit = 1 << 16;
    for (int64_t pad : {(*given)[2 * i], (*given)[2 * i + 1]})
      if (pad < 0 || pad > kLimit) throw Error(source.where, fmt::format("pads dimension {} by {}", i, pad));
    a.before.push_back(static_cast<int>((*given)[2 * i]));
    a.after.push_back(static_cast<int>((*given)[2 * i + 1]));
  }
  if (rank > 0 && (a.before[0] || a.after[0])) return Unknown{"a padded batch"};
  return Mapped{OpKind::Pad, a, {source.inputs[0]}};
}

Result map_softmax(const Operator& source) {
  need_inputs(source, 1, 1);
  const float beta = need_options<fb::SoftmaxOptions>(source).beta();
  if (!(beta > 0.0f && beta < 1e6f)) throw Error(source.where, fmt::format("has the beta {}", beta), "the file is damaged");
  return Mapped{OpKind::Softmax, graph::SoftmaxAttrs{beta}, source.inputs};
}

/// An axis operand or option counted from the front.
int axis_of(const Operator& source, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) throw Error(source.where, fmt::format("names axis {} of {}", axis, rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result map_transpose(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto given = tensors.integers(source.inputs[1], source.where);
  if (!given) return Unknown{"a computed order of the axes"};
  const int rank = tensors.shape(source.inputs[0]).rank();
  graph::TransposeAttrs a;
  for (int64_t axis : *given) a.perm.push_back(axis_of(source, axis, rank));
  if (a.perm.empty() || a.perm[0] != 0) return Unknown{"a transposed batch"};
  return Mapped{OpKind::Transpose, a, {source.inputs[0]}};
}

Result map_concatenation(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 1, 1 << 10);
  for (int32_t input : source.inputs)
    if (input < 0) throw Error(source.where, "lacks an input");
  const auto& o = need_options<fb::ConcatenationOptions>(source);
  if (o.fused_activation_function() != fb::Activation::NONE) return unknown_activation(o.fused_activation_function());
  const int axis = axis_of(source, o.axis(), tensors.shape(source.inputs[0]).rank());
  if (axis == 0) return Unknown{"a concatenation along the batch"};
  return Mapped{OpKind::Concatenation, graph::ConcatenationAttrs{axis}, source.inputs};
}

graph::StridedSliceAttrs whole(const Shape& x) {
  graph::StridedSliceAttrs a;
  for (int64_t size : x.dims()) a.begin.push_back(0), a.end.push_back(static_cast<int>(size)), a.stride.push_back(1);
  return a;
}

/// One axis of a STRIDED_SLICE with its masks applied, as NumPy counts: negative places from the end, clamped to the axis.
void slice_axis(graph::StridedSliceAttrs& a, size_t axis, int64_t size, int64_t begin, int64_t end, bool from_start, bool to_end, bool drops) {
  const auto place = [&](int64_t p) { return std::clamp<int64_t>(p < 0 ? p + size : p, 0, size); };
  a.begin[axis] = static_cast<int>(from_start ? 0 : place(begin));
  a.end[axis] = static_cast<int>(to_end ? size : place(end));
  if (!drops) return;
  a.end[axis] = a.begin[axis] + 1;
  a.stride[axis] = 1;
  a.drop.push_back(static_cast<int>(axis));
}

Result map_strided_slice(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 4, 4);
  const auto& o = need_options<fb::StridedSliceOptions>(source);
  if (o.ellipsis_mask() || o.new_axis_mask() || o.offset()) return Unknown{"an ellipsis, a new axis or offsets"};
  const auto begin = tensors.integers(source.inputs[1], source.where), end = tensors.integers(source.inputs[2], source.where),
             stride = tensors.integers(source.inputs[3], source.where);
  if (!begin || !end || !stride) return Unknown{"computed places"};
  const Shape x = tensors.shape(source.inputs[0]);
  const size_t n = begin->size();
  if (end->size() != n || stride->size() != n || n > static_cast<size_t>(x.rank()))
    throw Error(source.where, fmt::format("has {} begins, {} ends and {} strides for {} dimensions", n, end->size(), stride->size(), x.rank()));
  auto a = whole(x);
  for (size_t i = 0; i < n; ++i) {
    const auto has = [&](int mask) { return (mask >> i & 1) != 0; };
    const int64_t size = x[static_cast<int>(i)], step = (*stride)[i];
    if (step < 1) return Unknown{fmt::format("a stride of {}", step)};
    a.stride[i] = static_cast<int>(std::min<int64_t>(step, std::max<int64_t>(size, 1)));
    slice_axis(a, i, size, (*begin)[i], (*end)[i], has(o.begin_mask()), has(o.end_mask()), has(o.shrink_axis_mask()));
    if (a.begin[i] >= a.end[i]) return Unknown{"an empty slice"};
  }
  if (x.rank() == 0 || a.begin[0] != 0 || a.end[0] != 1 || (!a.drop.empty() && a.drop[0] == 0)) return Unknown{"a slice of the batch"};
  return Mapped{OpKind::StridedSlice, a, {source.inputs[0]}};
}

/// One slice an output.
Result map_split(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto given = tensors.integers(source.inputs[0], source.where);
  if (!given || given->size() != 1) return Unknown{"a computed axis"};
  const Shape x = tensors.shape(source.inputs[1]);
  const int axis = axis_of(source, (*given)[0], x.rank());
  if (axis == 0) return Unknown{"a split batch"};
  const auto parts = static_cast<int64_t>(source.outputs.size()), size = x[axis];
  if (parts == 0 || size % parts != 0 || size == 0) throw Error(source.where, fmt::format("splits {} elements into {} parts", size, parts));
  Mapped mapped{OpKind::StridedSlice, {}, {source.inputs[1]}};
  for (int64_t part = 0; part < parts; ++part) {
    auto a = whole(x);
    a.begin[static_cast<size_t>(axis)] = static_cast<int>(part * (size / parts));
    a.end[static_cast<size_t>(axis)] = static_cast<int>((part + 1) * (size / parts));
    if (part == 0) mapped.attrs = a;
    else mapped.more.push_back(a);
  }
  return mapped;
}

Result map_resize_nearest(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto& o = need_options<fb::ResizeNearestNeighborOptions>(source);
  const auto size = tensors.integers(source.inputs[1], source.where);
  if (!size) return Unknown{"a computed size"};
  constexpr int64_t kMaxSide = 1 << 16;
  if (size->size() != 2 || (*size)[0] < 1 || (*size)[1] < 1 || (*size)[0] > kMaxSide || (*size)[1] > kMaxSide) throw Error(source.where, "resizes to an impossible size");
  const graph::ResizeNearestAttrs a{static_cast<int>((*size)[0]), static_cast<int>((*size)[1]), o.align_corners(), o.half_pixel_centers()};
  return Mapped{OpKind::ResizeNearest, a, {source.inputs[0]}};
}

Result map_arg_max(const Operator& source, const Tensors& tensors) {
  need_inputs(source, 2, 2);
  const auto given = tensors.integers(source.inputs[1], source.where);
  if (!given || given->size() != 1) return Unknown{"a computed axis"};
  const int axis = axis_of(source, (*given)[0], tensors.shape(source.inputs[0]).rank());
  if (axis == 0) return Unknown{"the largest over the pictures of a batch"};
  const auto* o = options_of<fb::ArgMaxOptions>(source);
  const bool wide = !o || o->output_type() == fb::TensorType::INT64;
  if (o && !wide && o->output_type() != fb::TensorType::INT32) return Unknown{"indices that are neither int32 nor int64"};
  return Mapped{OpKind::ArgMax, graph::ArgMaxAttrs{axis, wide}, {source.inputs[0]}};
}

Result map_unary(OpKind kind, const Operator& source) {
  need_inputs(source, 1, 1);
  return Mapped{kind, graph::default_attrs(kind), source.inputs};
}

Result map_known(const Operator& source, const Tensors& tensors) {
  switch (source.code) {
    case fb::BuiltinOperator::CONV_2D:
      return map_conv2d(source, tensors);
    case fb::BuiltinOperator::DEPTHWISE_CONV_2D:
      return map_depthwise(source, tensors);
    case fb::BuiltinOperator::FULLY_CONNECTED:
      return map_fully_connected(source, tensors);
    case fb::BuiltinOperator::ADD:
      return map_elementwise<fb::AddOptions>(OpKind::Add, source);
    case fb::BuiltinOperator::MUL:
      return map_elementwise<fb::MulOptions>(OpKind::Mul, source);
    case fb::BuiltinOperator::AVERAGE_POOL_2D:
      return map_pool(OpKind::AveragePool2d, source);
    case fb::BuiltinOperator::MAX_POOL_2D:
      return map_pool(OpKind::MaxPool2d, source);
    case fb::BuiltinOperator::MEAN:
      return map_mean(source, tensors);
    case fb::BuiltinOperator::RESHAPE:
    case fb::BuiltinOperator::SQUEEZE:
      return map_reshape(source, tensors);
    case fb::BuiltinOperator::PAD:
      return map_pad(source, tensors);
    case fb::BuiltinOperator::SOFTMAX:
      return map_softmax(source);
    case fb::BuiltinOperator::LOGISTIC:
      return map_unary(OpKind::Logistic, source);
    case fb::BuiltinOperator::RELU:
      return map_unary(OpKind::Relu, source);
    case fb::BuiltinOperator::RELU6:
      return map_unary(OpKind::Relu6, source);
    case fb::BuiltinOperator::HARD_SWISH:
      return map_unary(OpKind::HardSwish, source);
    case fb::BuiltinOperator::TRANSPOSE:
      return map_transpose(source, tensors);
    case fb::BuiltinOperator::CONCATENATION:
      return map_concatenation(source, tensors);
    case fb::BuiltinOperator::STRIDED_SLICE:
      return map_strided_slice(source, tensors);
    case fb::BuiltinOperator::SPLIT:
      return map_split(source, tensors);
    case fb::BuiltinOperator::RESIZE_NEAREST_NEIGHBOR:
      return map_resize_nearest(source, tensors);
    case fb::BuiltinOperator::ARG_MAX:
      return map_arg_max(source, tensors);
    case fb::BuiltinOperator::QUANTIZE:
      return map_unary(OpKind::Quantize, source);
    case fb::BuiltinOperator::DEQUANTIZE:
      return map_unary(OpKind::Dequantize, source);
    default:
      return Unknown{};
  }
}

}  // namespace

std::variant<Mapped, Unknown> map_operator(const Operator& source, const Tensors& tensors) {
  Result result = map_known(source, tensors);
  const auto* mapped = std::get_if<Mapped>(&result);
  if (!mapped) return result;
  const bool gives_index = mapped->kind == OpKind::ArgMax;
  for (int32_t index : {mapped->inputs[0], source.outputs.empty() || gives_index ? mapped->inputs[0] : source.outputs[0]})
    if (!runs_on(tensors.dtype(index))) return Unknown{fmt::format("{} values", dtype_name(tensors.dtype(index)))};
  return result;
}

}  // namespace kinglet::formats::tflite
