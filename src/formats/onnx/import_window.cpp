// Convolutions, pools and paddings.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"
#include "ops/geometry.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::Padding;
using graph::PaddingMode;
using graph::ValueId;

namespace {

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

Tensor reordered(const Tensor& t, const std::vector<int64_t>& order) { return permuted(t, Order(order.begin(), order.end())); }

/// `order` is that of the result; the map for axes goes the other way.
ValueId reordered_constant(Importer& importer, const Source& source, int i, const Order& order, bool trainable) {
  return importer.constant(source, i, reordered, {order.begin(), order.end()}, inverse(order), trainable);
}

/// With ceil_mode a last window may begin within the picture and end outside it.
bool ceil_changes_size(const ops::Window& w) {
  return (w.in_h + w.pad_top + w.pad_bottom - w.kernel_h) % w.stride_h != 0 || (w.in_w + w.pad_left + w.pad_right - w.kernel_w) % w.stride_w != 0;
}

}  // namespace

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

void pad(Importer& importer, const Source& source) {
  if (source.has_input(3)) throw Unknown{"a padding of named axes"};
  const Entry x = importer.settled(source, importer.input(source, 0));
  if (x.tensor) throw Unknown{"its input is a constant"};
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

}  // namespace kinglet::formats::onnx
