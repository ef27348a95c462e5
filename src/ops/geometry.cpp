#include "ops/geometry.h"

#include <algorithm>

#include "base/error.h"
#include "ops/op_info.h"

namespace kinglet::ops {

using graph::PaddingMode;

namespace {

struct Axis {
  int before, after, out;
};

Axis resolve_axis(int in, int kernel, int stride, int dilation, PaddingMode mode, int before, int after) {
  const int effective = (kernel - 1) * dilation + 1;
  if (mode == PaddingMode::same) {
    const int out = (in + stride - 1) / stride;
    const int total = std::max(0, (out - 1) * stride + effective - in);
    return {total / 2, total - total / 2, out};
  }
  if (mode == PaddingMode::valid) before = after = 0;
  const int room = in + before + after - effective;
  return {before, after, room < 0 ? 0 : room / stride + 1};
}

constexpr int64_t kMaxSide = 1 << 20;

int side(const graph::Node& node, int64_t n, const char* what) {
  if (n < 1 || n > kMaxSide) refuse(node, std::string(what) + " of " + std::to_string(n) + " is out of range");
  return static_cast<int>(n);
}

template <class Attrs>
Window conv_window(const graph::Graph& graph, const graph::Node& node, const Attrs& a) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  const Shape& w = graph.value(node.inputs[1]).shape;
  side(node, a.stride_h, "a stride"), side(node, a.stride_w, "a stride");
  const int kh = side(node, w[1], "a kernel"), kw = side(node, w[2], "a kernel");
  if (a.dilation_h < 1 || a.dilation_w < 1 || a.dilation_h > 1024 || a.dilation_w > 1024 || kh > 4096 || kw > 4096) refuse(node, "has an impossible kernel or dilation");
  return resolve_window(side(node, x[1], "a height"), side(node, x[2], "a width"), kh, kw, a.stride_h, a.stride_w, a.dilation_h, a.dilation_w, a.padding);
}

Window pool_window(const graph::Graph& graph, const graph::Node& node) {
  const auto& a = node.as<graph::Pool2dAttrs>();
  const Shape& x = graph.value(node.inputs[0]).shape;
  return resolve_window(side(node, x[1], "a height"), side(node, x[2], "a width"), side(node, a.kernel_h, "a kernel"), side(node, a.kernel_w, "a kernel"),
                        side(node, a.stride_h, "a stride"), side(node, a.stride_w, "a stride"), 1, 1, a.padding);
}

}  // namespace

Window resolve_window(int in_h, int in_w, int kernel_h, int kernel_w, int stride_h, int stride_w, int dilation_h, int dilation_w,
                      const graph::Padding& padding) {
  const Axis h = resolve_axis(in_h, kernel_h, stride_h, dilation_h, padding.mode, padding.top, padding.bottom);
  const Axis w = resolve_axis(in_w, kernel_w, stride_w, dilation_w, padding.mode, padding.left, padding.right);
  return {in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, h.before, h.after, w.before, w.after, h.out, w.out};
}

Window node_window(const graph::Graph& graph, const graph::Node& node) {
  using graph::OpKind;
  Window window{};
  if (node.op == OpKind::Conv2d) window = conv_window(graph, node, node.as<graph::Conv2dAttrs>());
  else if (node.op == OpKind::DepthwiseConv2d) window = conv_window(graph, node, node.as<graph::DepthwiseConv2dAttrs>());
  else window = pool_window(graph, node);
  for (int pad : {window.pad_top, window.pad_bottom, window.pad_left, window.pad_right})
    if (pad < 0 || pad > kMaxSide) refuse(node, "has an impossible padding");
  if (window.out_h < 1 || window.out_w < 1) refuse(node, "has a kernel larger than its padded input");
  return window;
}

}  // namespace kinglet::ops
