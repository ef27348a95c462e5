#include "flow/measures.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "ops/geometry.h"

namespace kinglet::flow {

namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using Number = std::optional<int64_t>;

std::optional<ops::Window> window(const Graph& g, const Node& n) {
  const bool has = n.op == OpKind::Conv2d || n.op == OpKind::DepthwiseConv2d || n.op == OpKind::AveragePool2d || n.op == OpKind::MaxPool2d;
  return has ? std::optional(ops::node_window(g, n)) : std::nullopt;
}

template <class Get>
Number of_window(const Graph& g, const Node& n, Get get) {
  const auto w = window(g, n);
  return w ? Number(get(*w)) : std::nullopt;
}

const graph::Value* activation(const Graph& g, const Node& n) {
  for (auto v : n.inputs)
    if (v != graph::kNone && !g.value(v).is_constant()) return &g.value(v);
  return nullptr;
}

const graph::Value* weights(const Graph& g, const Node& n) {
  const bool has = n.op == OpKind::Conv2d || n.op == OpKind::DepthwiseConv2d || n.op == OpKind::FullyConnected;
  return has && n.inputs.size() > 1 && n.inputs[1] != graph::kNone ? &g.value(n.inputs[1]) : nullptr;
}

Number last_dim(const graph::Value* v) { return v && v->shape.rank() > 0 ? Number(v->shape.back()) : std::nullopt; }

int64_t largest_rank(const Graph& g, const Node& n) {
  int64_t rank = 0;
  for (const auto* list : {&n.inputs, &n.outputs})
    for (auto v : *list)
      if (v != graph::kNone) rank = std::max<int64_t>(rank, g.value(v).shape.rank());
  return rank;
}

int64_t largest_dimension(const Graph& g, const Node& n) {
  int64_t size = 0;
  for (const auto* list : {&n.inputs, &n.outputs})
    for (auto v : *list)
      if (v != graph::kNone)
        for (int64_t d : g.value(v).shape.dims()) size = std::max(size, d);
  return size;
}

Number asymmetric(const Graph& g, const Node& n) {
  const auto* w = weights(g, n);
  if (!w) return std::nullopt;
  return std::any_of(w->quant.zero_point.begin(), w->quant.zero_point.end(), [](int32_t z) { return z != 0; });
}

/// The largest sum of the weights of one output channel, as the accumulator may see it (Vela bounds it).
Number weight_sum(const Graph& g, const Node& n) {
  const auto* w = weights(g, n);
  if (!w || !w->constant || w->dtype != DType::s8) return std::nullopt;
  const auto data = w->constant->data<int8_t>();
  const bool depthwise = n.op == OpKind::DepthwiseConv2d;
  const auto channels = static_cast<size_t>(depthwise ? w->shape.back() : w->shape[0]);
  std::vector<int64_t> sums(channels, 0);
  for (size_t i = 0; i < data.size(); ++i) sums[depthwise ? i % channels : i / (data.size() / channels)] += std::abs(int{data[i]});
  return *std::max_element(sums.begin(), sums.end());
}

/// Do the two activations of an elementwise operator differ in shape?
Number broadcast(const Graph& g, const Node& n) {
  if ((n.op != OpKind::Add && n.op != OpKind::Mul) || n.inputs.size() < 2) return std::nullopt;
  return g.value(n.inputs[0]).shape != g.value(n.inputs[1]).shape;
}

Number pads_channels(const Graph&, const Node& n) {
  if (n.op != OpKind::Pad) return std::nullopt;
  const auto& pad = n.as<graph::PadAttrs>();
  return pad.before.back() != 0 || pad.after.back() != 0;
}

/// 1 for a mean over height and width exactly.
Number mean_of_plane(const Graph&, const Node& n) {
  if (n.op != OpKind::Mean) return std::nullopt;
  return n.as<graph::MeanAttrs>().axes == std::vector<int>{1, 2};
}

Number mean_elements(const Graph& g, const Node& n) {
  if (n.op != OpKind::Mean) return std::nullopt;
  int64_t product = 1;
  for (int axis : n.as<graph::MeanAttrs>().axes) product *= g.value(n.inputs[0]).shape[axis];
  return product;
}

Number per_channel(const Graph& g, const Node& n) {
  const auto* w = weights(g, n);
  return w && !w->quant.empty() ? Number(w->quant.per_channel()) : std::nullopt;
}

/// 1 where input and output have the same scale and zero point.
Number same_scale(const Graph& g, const Node& n) {
  const auto* x = activation(g, n);
  return x && !n.outputs.empty() ? Number(x->quant == g.value(n.outputs[0]).quant) : std::nullopt;
}

/// 1 for the transpositions an NPU does: height and width exchanged, or two axes of which the third is 1.
Number swaps_plane(const Graph& g, const Node& n) {
  if (n.op != OpKind::Transpose) return std::nullopt;
  const auto& perm = n.as<graph::TransposeAttrs>().perm;
  const auto& x = g.value(n.inputs[0]).shape;
  if (perm == std::vector<int>{0, 2, 1} || perm == std::vector<int>{0, 2, 1, 3}) return 1;
  if (perm == std::vector<int>{0, 1, 3, 2}) return x[1] == 1;
  if (perm == std::vector<int>{0, 3, 2, 1}) return x[2] == 1;
  return 0;
}

/// How often a resizing doubles both sides; -1 where it does anything else.
Number doublings(const Graph& g, const Node& n) {
  if (n.op != OpKind::ResizeNearest) return std::nullopt;
  const auto& attrs = n.as<graph::ResizeNearestAttrs>();
  const auto& x = g.value(n.inputs[0]).shape;
  const int less = attrs.align_corners ? 1 : 0;
  for (int times = 0; times < 8; ++times)
    if (((x[1] - less) << times) == attrs.out_h - less && ((x[2] - less) << times) == attrs.out_w - less) return times;
  return -1;
}

Number slice_step_c(const Graph&, const Node& n) {
  return n.op == OpKind::StridedSlice ? Number(n.as<graph::StridedSliceAttrs>().stride.back()) : std::nullopt;
}

Number over_channels(const Graph& g, const Node& n) {
  return n.op == OpKind::ArgMax ? Number(n.as<graph::ArgMaxAttrs>().axis == g.value(n.inputs[0]).shape.rank() - 1) : std::nullopt;
}

Number multiplier(const Graph&, const Node& n) {
  return n.op == OpKind::DepthwiseConv2d ? Number(n.as<graph::DepthwiseConv2dAttrs>().multiplier) : std::nullopt;
}

struct Row {
  const char *name, *words, *hint;
  Number (*get)(const Graph&, const Node&);
};

#define KINGLET_WINDOW(expression) \
  [](const Graph& g, const Node& n) -> Number { return of_window(g, n, [](const ops::Window& w) -> int64_t { return expression; }); }

constexpr const char *kStride = "take the step in two layers, or pool", *kKernel = "use a smaller kernel; two in a row see as far",
                     *kDilation = "use a dilation within the bounds, or a larger kernel", *kChannels = "choose another width", *kPad = "";

const Row kRows[] = {
    {"stride_h", "stride in height", kStride, KINGLET_WINDOW(w.stride_h)},
    {"stride_w", "stride in width", kStride, KINGLET_WINDOW(w.stride_w)},
    {"dilation_h", "dilation in height", kDilation, KINGLET_WINDOW(w.dilation_h)},
    {"dilation_w", "dilation in width", kDilation, KINGLET_WINDOW(w.dilation_w)},
    {"kernel_h", "kernel height", kKernel, KINGLET_WINDOW(w.kernel_h)},
    {"kernel_w", "kernel width", kKernel, KINGLET_WINDOW(w.kernel_w)},
    {"kernel_area", "kernel height x width", kKernel, KINGLET_WINDOW(int64_t{w.kernel_h} * w.kernel_w)},
    {"dilated_kernel_h", "dilated kernel height", kKernel, KINGLET_WINDOW(int64_t{w.kernel_h - 1} * w.dilation_h + 1)},
    {"dilated_kernel_area", "dilated kernel height x width", kKernel,
     KINGLET_WINDOW((int64_t{w.kernel_h - 1} * w.dilation_h + 1) * (int64_t{w.kernel_w - 1} * w.dilation_w + 1))},
    {"padding", "padding (0 none, 1 some)", kPad, KINGLET_WINDOW(w.pad_top + w.pad_bottom + w.pad_left + w.pad_right > 0)},
    {"output_height", "output height", "", KINGLET_WINDOW(w.out_h)},
    {"multiplier", "depth multiplier", "use a multiplier of 1 and a 1x1 convolution behind it", multiplier},
    {"input_channels", "input channels", kChannels, [](const Graph& g, const Node& n) { return last_dim(activation(g, n)); }},
    {"output_channels", "output channels", kChannels,
     [](const Graph& g, const Node& n) { return n.outputs.empty() ? Number() : last_dim(&g.value(n.outputs[0])); }},
    {"input_elements", "elements of the input", "",
     [](const Graph& g, const Node& n) {
       const auto* x = activation(g, n);
       return x ? Number(x->shape.elements()) : Number();
     }},
    {"output_elements", "elements of the output", kChannels,
     [](const Graph& g, const Node& n) { return n.outputs.empty() ? Number() : Number(g.value(n.outputs[0]).shape.elements()); }},
    {"swaps_plane", "transposes other axes than height and width", "leave the transposition out: import the model as NHWC", swaps_plane},
    {"doublings", "doublings of both sides", "resize by 2, 4 or 8", doublings},
    {"slice_step_c", "step over channels", "slice whole channels", slice_step_c},
    {"over_channels", "takes the largest over another axis than the channels", "take it over the last axis, or outside the model",
     over_channels},
    {"rank", "dimensions of a tensor", "reshape to four dimensions at most",
     [](const Graph& g, const Node& n) { return Number(largest_rank(g, n)); }},
    {"dimension", "largest dimension", "use a smaller input or fewer channels",
     [](const Graph& g, const Node& n) { return Number(largest_dimension(g, n)); }},
    {"asymmetric_weights", "has weights with a zero point", "quantize the float model again: kinglet quantize makes weights without one",
     asymmetric},
    {"per_channel", "weight scales a channel (1) or one (0)", "", per_channel},
    {"weight_sum", "sum of an output channel's weights", "", weight_sum},
    {"broadcast", "has operands of different shape", "give both operands the same shape", broadcast},
    {"pads_channels", "pads channels", "pad with zero weights instead", pads_channels},
    {"mean_of_plane", "averages over other axes than height and width", "average over height and width", mean_of_plane},
    {"mean_elements", "elements averaged", "pool first", mean_elements},
    {"same_scale", "changes the quantization", "quantize with shared scales: kinglet quantize does", same_scale},
};

#undef KINGLET_WINDOW

const Row& row(const std::string& name) {
  for (const auto& r : kRows)
    if (name == r.name) return r;
  throw Error(name, "is nothing that can be measured of a node");
}

}  // namespace

const std::vector<std::string>& measure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& r : kRows) list.emplace_back(r.name);
    return list;
  }();
  return names;
}

Number measure(const std::string& name, const Graph& graph, const Node& node) { return row(name).get(graph, node); }
std::string measure_words(const std::string& name) { return row(name).words; }
bool is_fault(const std::string& name) {
  static const std::vector<std::string> names{"asymmetric_weights", "broadcast",   "pads_channels", "mean_of_plane",
                                              "same_scale",         "swaps_plane", "over_channels"};
  return std::find(names.begin(), names.end(), name) != names.end();
}
std::string measure_hint(const std::string& name) { return row(name).hint; }

}  // namespace kinglet::flow
