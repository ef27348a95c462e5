// Sizes of sliding windows: TensorFlow's SAME and VALID and explicit padding made into four numbers and an output size.
#pragma once

#include "graph/graph.h"

namespace kinglet::ops {

struct Window {
  int in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_bottom, pad_left, pad_right;
  int out_h, out_w;  ///< may be below 1 when the kernel is larger than the padded input: the caller refuses
};

/// SAME pads (out - 1) * stride + effective kernel - in, the smaller half before (TensorFlow, nn.convolution).
Window resolve_window(int in_h, int in_w, int kernel_h, int kernel_w, int stride_h, int stride_w, int dilation_h, int dilation_w,
                      const graph::Padding& padding);

/// The window of a Conv2d, DepthwiseConv2d, AveragePool2d or MaxPool2d node.
Window node_window(const graph::Graph& graph, const graph::Node& node);

/// For each of `out` places the place of `in` that nearest-neighbour resizing takes, in TensorFlow Lite's float arithmetic:
/// floor(i * in / out), i + 1/2 for half_pixel; align_corners rounds i * (in - 1) / (out - 1).
std::vector<int32_t> nearest_sources(int in, int out, bool align_corners, bool half_pixel);

}  // namespace kinglet::ops
