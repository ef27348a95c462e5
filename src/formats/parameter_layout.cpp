#include "formats/parameter_layout.h"

#include "formats/layout.h"

namespace kinglet::formats {

namespace {

using graph::OpKind;
using graph::ValueId;

/// 1HWC of C1HW, and the reverse.
const Order kDepthwiseOurs{1, 2, 3, 0}, kDepthwiseTheirs{3, 0, 1, 2};

/// The picture behind a flattened value: through reshapes and what keeps elements in their places. Rank 0 if there is none.
Shape flattened_picture(const graph::Graph& graph, const std::vector<graph::NodeIndex>& producers, ValueId v) {
  for (;;) {
    const Shape& shape = graph.value(v).shape;
    if (shape.rank() == 4) return shape[1] * shape[2] > 1 && shape[3] > 1 ? shape : Shape();
    const auto maker = producers[static_cast<size_t>(v)];
    if (maker == graph::kNone) return {};
    const auto& node = graph.node(maker);
    const bool keeps = node.op == OpKind::Reshape || node.op == OpKind::Dropout || node.op == OpKind::Relu || node.op == OpKind::Relu6 ||
                       node.op == OpKind::FakeQuantize || node.op == OpKind::Quantize || node.op == OpKind::Dequantize;
    if (!keeps) return {};
    v = node.inputs[0];
  }
}

}  // namespace

std::vector<ParameterLayout> parameter_layouts(const graph::Graph& graph) {
  std::vector<ParameterLayout> layouts(graph.values().size());
  const auto producers = graph.producers();
  using Kind = ParameterLayout::Kind;
  for (const auto& node : graph.nodes()) {
    if (node.inputs.size() < 2 || node.inputs[1] == graph::kNone) continue;
    auto& layout = layouts[static_cast<size_t>(node.inputs[1])];
    const int rank = graph.value(node.inputs[1]).shape.rank();
    if (node.op == OpKind::Conv2d && rank == 4) layout.kind = Kind::conv;
    if (node.op == OpKind::DepthwiseConv2d && rank == 4) layout.kind = Kind::depthwise;
    if (node.op == OpKind::FullyConnected && rank == 2) {
      const Shape picture = flattened_picture(graph, producers, node.inputs[0]);
      const bool fits = picture.rank() == 4 && picture.elements() == picture[0] * graph.value(node.inputs[1]).shape[1];
      layout = {Kind::dense, fits ? picture : Shape()};
    }
  }
  return layouts;
}

Tensor to_torch(const Tensor& tensor, const ParameterLayout& layout) {
  switch (layout.kind) {
    case ParameterLayout::Kind::plain: return tensor;
    case ParameterLayout::Kind::conv: return permuted(tensor, kNchw);
    case ParameterLayout::Kind::depthwise: return permuted(tensor, kDepthwiseTheirs);
    case ParameterLayout::Kind::dense: break;
  }
  if (layout.picture.rank() == 0) return tensor;
  const Shape split{tensor.shape()[0], layout.picture[1], layout.picture[2], layout.picture[3]};
  return permuted(tensor.reshaped(split), kNchw).reshaped(tensor.shape());
}

Tensor from_torch(const Tensor& tensor, const ParameterLayout& layout) {
  switch (layout.kind) {
    case ParameterLayout::Kind::plain: return tensor;
    case ParameterLayout::Kind::conv: return permuted(tensor, kNhwc);
    case ParameterLayout::Kind::depthwise: return permuted(tensor, kDepthwiseOurs);
    case ParameterLayout::Kind::dense: break;
  }
  if (layout.picture.rank() == 0) return tensor;
  const Shape split{tensor.shape()[0], layout.picture[3], layout.picture[1], layout.picture[2]};
  return permuted(tensor.reshaped(split), kNhwc).reshaped(tensor.shape());
}

Shape torch_shape(const Shape& shape, const ParameterLayout& layout) {
  if (layout.kind == ParameterLayout::Kind::conv) return permuted(shape, kNchw);
  if (layout.kind == ParameterLayout::Kind::depthwise) return permuted(shape, kDepthwiseTheirs);
  return shape;
}

}  // namespace kinglet::formats
