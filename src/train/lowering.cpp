#include "train/lowering.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "ops/geometry.h"
#include "ops/op_info.h"
#include "train/affine_function.h"
#include "train/depthwise_function.h"
#include "train/norm_function.h"

namespace kinglet::train {

namespace {

using at::Tensor;
using graph::Activation;
using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::OpKind;
using graph::ValueId;

Tensor to_nchw(const Tensor& x) { return x.permute({0, 3, 1, 2}); }
Tensor to_nhwc(const Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }

Tensor activate(const Tensor& x, Activation activation) {
  if (activation == Activation::relu) return at::relu(x);
  if (activation == Activation::relu6) return at::hardtanh(x, 0.0, 6.0);
  return x;
}

bool symmetric(const ops::Window& w) { return w.pad_top == w.pad_bottom && w.pad_left == w.pad_right; }

bool unpadded(const ops::Window& w) { return w.pad_top + w.pad_bottom + w.pad_left + w.pad_right == 0; }

Tensor padded(const Tensor& nchw, const ops::Window& w, double value) {
  if (unpadded(w)) return nchw;
  return at::constant_pad_nd(nchw, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value);
}

/// torch pads alike on both sides only; the rest is padded beforehand.
struct Prepared {
  Tensor nchw;
  ops::Window window;  ///< of what nchw now is
};
Prepared prepare(const Tensor& x, ops::Window w) {
  if (symmetric(w)) return {to_nchw(x), w};
  const Tensor nchw = padded(to_nchw(x), w, 0.0);
  w.in_h += w.pad_top + w.pad_bottom;
  w.in_w += w.pad_left + w.pad_right;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 0;
  return {nchw, w};
}

/// `own_gradient`: a depthwise convolution's weights get their gradient from our own kernel.
Tensor convolve(const Tensor& x, const Tensor& oihw, const Tensor& bias, const ops::Window& window, int64_t groups, bool own_gradient = false) {
  const auto [nchw, w] = prepare(x, window);
  if (own_gradient && oihw.size(0) == groups) {
    const Tensor y = to_nhwc(apply_depthwise(nchw, oihw, w));
    return bias.defined() ? y + bias : y;
  }
  return to_nhwc(at::conv2d(nchw, oihw, bias, {w.stride_h, w.stride_w}, at::IntArrayRef({w.pad_top, w.pad_left}), {w.dilation_h, w.dilation_w}, groups));
}

Tensor average_pool(const Tensor& x, const ops::Window& w) {
  const auto sum = [&](const Tensor& nchw) {
    return at::avg_pool2d(padded(nchw, w, 0.0), {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w}, {0, 0}, false, true, 1);
  };
  if (unpadded(w)) return to_nhwc(at::avg_pool2d(to_nchw(x), {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w}));
  return to_nhwc(sum(to_nchw(x)) / sum(at::ones({1, 1, x.size(1), x.size(2)}, x.options().requires_grad(false))));
}

Tensor max_pool(const Tensor& x, const ops::Window& w) {
  return to_nhwc(at::max_pool2d(padded(to_nchw(x), w, -INFINITY), {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w}));
}

/// As a 1x1 convolution: matrix products may run on the reference BLAS, thirty times slower.
Tensor fully_connected(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const auto flat = x.reshape({x.size(0), 1, 1, -1});
  return at::conv2d(to_nchw(flat), weight.reshape({weight.size(0), weight.size(1), 1, 1}), bias).reshape({x.size(0), weight.size(0)});
}

Tensor batch_norm(const Tensor& x, const Tensor* in, const graph::BatchNormAttrs& attrs, Mode mode) {
  const bool picture = x.dim() == 4;
  const Tensor y = at::batch_norm(picture ? to_nchw(x) : x, in[0], in[1], in[2], in[3], mode == Mode::train, attrs.momentum, attrs.eps, false);
  return picture ? to_nhwc(y) : y;
}

/// The mask of a picture depends on its number and the node, not on its place in the batch.
Tensor dropout(const Tensor& x, float rate, uint64_t node, const DropoutKey& key) {
  KINGLET_CHECK(key.pictures && static_cast<int64_t>(key.pictures->size()) == x.size(0));
  Tensor mask = at::empty(x.sizes());
  float* out = mask.data_ptr<float>();
  const int64_t each = x.numel() / x.size(0);
  for (int64_t picture : *key.pictures) {
    RandomStream random(key.seed + mix64(node), key.epoch, static_cast<uint64_t>(picture), Purpose::dropout);
    for (int64_t i = 0; i < each; ++i) *out++ = random.uniform() < rate ? 0.0f : 1.0f / (1.0f - rate);
  }
  return x * mask.to(x.device());
}

Tensor fake_quantize(const Tensor& x, const graph::FakeQuantizeAttrs& attrs) {
  if (attrs.axis < 0) return at::fake_quantize_per_tensor_affine(x, attrs.scale[0], attrs.zero_point[0], attrs.quant_min, attrs.quant_max);
  const auto scale = at::tensor(at::ArrayRef<float>(attrs.scale)).to(x.device());
  const auto zero_point = at::tensor(at::ArrayRef<int>(attrs.zero_point)).to(x.device());
  return at::fake_quantize_per_channel_affine(x, scale, zero_point, attrs.axis, attrs.quant_min, attrs.quant_max);
}

Tensor mean(const Tensor& x, const graph::MeanAttrs& attrs) {
  return x.mean(std::vector<int64_t>(attrs.axes.begin(), attrs.axes.end()), attrs.keep_dims);
}

Tensor pad(const Tensor& x, const graph::PadAttrs& attrs) {
  std::vector<int64_t> from_last;
  for (size_t axis = attrs.before.size(); axis-- > 0;) from_last.insert(from_last.end(), {attrs.before[axis], attrs.after[axis]});
  return at::constant_pad_nd(x, from_last, 0.0);
}

Tensor reshape(const Tensor& x, const graph::ReshapeAttrs& attrs) {
  std::vector<int64_t> shape{x.size(0)};
  shape.insert(shape.end(), attrs.shape.begin(), attrs.shape.end());
  return x.reshape(shape);
}

Tensor transpose(const Tensor& x, const graph::TransposeAttrs& attrs) {
  return x.permute(std::vector<int64_t>(attrs.perm.begin(), attrs.perm.end())).contiguous();
}

Tensor strided_slice(Tensor x, const graph::StridedSliceAttrs& attrs) {
  for (size_t axis = 1; axis < attrs.begin.size(); ++axis)
    x = at::slice(x, static_cast<int64_t>(axis), attrs.begin[axis], attrs.end[axis], attrs.stride[axis]);
  for (size_t i = attrs.drop.size(); i-- > 0;) x = x.squeeze(attrs.drop[i]);
  return x.contiguous();
}

Tensor resize_nearest(const Tensor& x, const graph::ResizeNearestAttrs& attrs) {
  const auto sources = [&](int64_t axis, int out) {
    const auto list = ops::nearest_sources(static_cast<int>(x.size(axis)), out, attrs.align_corners, attrs.half_pixel);
    return at::tensor(at::ArrayRef<int>(list), at::kLong).to(x.device());
  };
  return x.index_select(1, sources(1, attrs.out_h)).index_select(2, sources(2, attrs.out_w));
}

bool trainable_op(OpKind op) {
  return op != OpKind::Quantize && op != OpKind::Dequantize && op != OpKind::Opaque;
}

}  // namespace

Lowering::Lowering(const Graph& graph, Parameters& parameters, bool own_kernels, Placement placement)
    : graph_(graph), parameters_(parameters), placement_(placement), own_kernels_(own_kernels && !placement.copies) {
  for (const Node& node : graph.nodes())
    if (!trainable_op(node.op)) ops::refuse(node, "cannot be trained", "train the float model, before quantization");
    else if (node.op == OpKind::ArgMax) ops::refuse(node, "gives an index, through which no gradient passes", "train the network without it");
  if (graph.inputs.size() != 1) throw Error("graph", "has " + std::to_string(graph.inputs.size()) + " inputs", "training takes one");
  if (own_kernels_) make_regions(find_affine_regions(graph));
  make_steps();
  make_tensors();
}

float* Lowering::constant_data(ValueId id) const {
  if (const auto* slot = parameters_.find(id)) return parameters_.values.data() + slot->offset;
  if (const auto* slot = parameters_.find_statistic(id)) return parameters_.statistics.data() + slot->offset;
  return nullptr;
}

void Lowering::make_regions(std::vector<AffineRegion> regions) {
  for (AffineRegion& region : regions) {
    Region made;
    const auto known = [&](ValueId id) { return constant_data(id) != nullptr; };
    if (!std::all_of(region.parameters.begin(), region.parameters.end(), known)) continue;
    for (ValueId id : region.parameters) {
      const auto* slot = parameters_.find(id);
      made.slots.parameters.push_back(constant_data(id));
      made.gradients.push_back(slot ? parameters_.gradients.data() + slot->offset : nullptr);
    }
    for (const AffineOp& op : region.ops)
      if (op.op == OpKind::BatchNorm) made.slots.running.insert(made.slots.running.end(), {constant_data(op.running_mean), constant_data(op.running_var)});
    made.region = std::move(region);
    regions_.push_back(std::move(made));
  }
}

/// A region runs where its last node stood: everything it reads is there, nobody before reads its sink.
void Lowering::make_steps() {
  std::vector<int> region_of(static_cast<size_t>(graph_.node_count()), -1);
  for (size_t r = 0; r < regions_.size(); ++r)
    for (auto node : regions_[r].region.nodes) region_of[static_cast<size_t>(node)] = static_cast<int>(r);
  for (int i = 0; i < graph_.node_count(); ++i) {
    const int region = region_of[static_cast<size_t>(i)];
    const ValueId out = graph_.node(i).outputs[0];
    if (region < 0) steps_.push_back({.node = i, .out = out});
    else if (regions_[static_cast<size_t>(region)].region.nodes.back() == i) steps_.push_back({.node = i, .out = out, .region = region});
  }
  if (own_kernels_) join_activations();
}

void Lowering::join_activations() {
  const auto users = graph_.users();
  std::vector<bool> joined(static_cast<size_t>(graph_.node_count()), false);
  for (Step& step : steps_) {
    step.own_norm = step.region < 0 && is_picture_norm(graph_, graph_.node(step.node));
    const auto& readers = users[static_cast<size_t>(step.out)];
    if (!step.own_norm || readers.size() != 1) continue;
    const Node& reader = graph_.node(readers[0]);
    if (reader.op != OpKind::Relu && reader.op != OpKind::Relu6) continue;
    step.activation = reader.op == OpKind::Relu ? Activation::relu : Activation::relu6;
    step.out = reader.outputs[0];
    joined[static_cast<size_t>(readers[0])] = true;
  }
  std::erase_if(steps_, [&](const Step& step) { return joined[static_cast<size_t>(step.node)]; });
}

void Lowering::make_tensors() {
  constants_.resize(static_cast<size_t>(graph_.value_count()));
  std::vector<bool> used(constants_.size(), false);
  for (const Step& step : steps_)
    if (step.region < 0)
      for (ValueId id : graph_.node(step.node).inputs)
        if (id != kNone) used[static_cast<size_t>(id)] = graph_.value(id).is_constant();
  for (ValueId id = 0; id < graph_.value_count(); ++id) {
    if (!used[static_cast<size_t>(id)]) continue;
    const auto& value = graph_.value(id);
    const auto shape = value.shape.dims();
    const at::IntArrayRef sizes(shape.data(), shape.size());
    float* data = constant_data(id);
    Tensor tensor = data ? at::from_blob(data, sizes, at::kFloat) : at::from_blob(const_cast<float*>(value.constant->data<float>().data()), sizes, at::kFloat).clone();
    if (placement_.copies) {
      const Tensor host = tensor;
      tensor = at::empty(sizes, host.options().device(placement_.device));
      tensor.copy_(host);
      if (data) copies_.push_back({host, tensor, parameters_.find(id) == nullptr});
    }
    if (const auto* slot = parameters_.find(id)) {
      tensor.requires_grad_(true);
      leaves_.push_back(tensor);
      leaf_slots_.push_back(slot);
    }
    constants_[static_cast<size_t>(id)] = tensor;
  }
  anchor_ = at::zeros({}).requires_grad_(true);
  leaves_.push_back(anchor_);
}

void Lowering::send_parameters() const {
  at::NoGradGuard no_grad;
  for (const Copy& copy : copies_) copy.device.copy_(copy.host);
}

void Lowering::fetch_statistics() {
  at::NoGradGuard no_grad;
  for (Copy& copy : copies_)
    if (copy.statistic) copy.host.copy_(copy.device);
}

Tensor Lowering::run(const Tensor& x, ValueId wanted, Mode mode, const DropoutKey& dropout_key) const {
  std::vector<Tensor> values = constants_;
  values[static_cast<size_t>(graph_.inputs[0])] = x;
  for (const Step& step : steps_) {
    if (values[static_cast<size_t>(wanted)].defined()) break;
    const Node& node = graph_.node(step.node);
    auto& out = values[static_cast<size_t>(step.out)];
    if (step.region >= 0) {
      const Region& region = regions_[static_cast<size_t>(step.region)];
      out = run_region(region, values[static_cast<size_t>(region.region.source)], mode);
    } else if (step.own_norm && mode == Mode::train) {
      out = run_norm(node, step.activation, values);
    } else {
      out = activate(run_node(node, values, mode, dropout_key), step.activation);
    }
  }
  return values[static_cast<size_t>(wanted)];
}

Tensor Lowering::run_norm(const Node& node, Activation activation, const std::vector<Tensor>& values) const {
  const auto input = [&](size_t i) { return values[static_cast<size_t>(node.inputs[i])]; };
  const auto& attrs = node.as<graph::BatchNormAttrs>();
  return apply_norm(input(0), {input(1), input(2), input(3), input(4), attrs.eps, attrs.momentum}, activation);
}

Tensor Lowering::run_region(const Region& region, const Tensor& z, Mode mode) const {
  if (mode == Mode::train) return apply_affine_region(region.region, region.slots, region.gradients, z, anchor_);
  return apply_affine_map(evaluate_affine(region.region, region.slots), region.region.activation, z);
}

Tensor Lowering::run_node(const Node& node, const std::vector<Tensor>& values, Mode mode, const DropoutKey& key) const {
  const auto input = [&](size_t i) {
    return i < node.inputs.size() && node.inputs[i] != kNone ? values[static_cast<size_t>(node.inputs[i])] : Tensor();
  };
  const auto fused = [&](const Tensor& y) { return activate(y, ops::fused_activation(node)); };
  const Tensor x = input(0);
  switch (node.op) {
    case OpKind::Conv2d: return fused(convolve(x, input(1).permute({0, 3, 1, 2}), input(2), ops::node_window(graph_, node), 1));
    case OpKind::DepthwiseConv2d: return fused(convolve(x, input(1).permute({3, 0, 1, 2}), input(2), ops::node_window(graph_, node), x.size(3), own_kernels_));
    case OpKind::FullyConnected: return fused(fully_connected(x, input(1), input(2)));
    case OpKind::Add: return fused(x + input(1));
    case OpKind::Mul: return fused(x * input(1));
    case OpKind::AveragePool2d: return fused(average_pool(x, ops::node_window(graph_, node)));
    case OpKind::MaxPool2d: return fused(max_pool(x, ops::node_window(graph_, node)));
    case OpKind::Mean: return mean(x, node.as<graph::MeanAttrs>());
    case OpKind::Reshape: return reshape(x, node.as<graph::ReshapeAttrs>());
    case OpKind::Pad: return pad(x, node.as<graph::PadAttrs>());
    case OpKind::Softmax: return at::softmax(x * node.as<graph::SoftmaxAttrs>().beta, -1);
    case OpKind::Logistic: return at::sigmoid(x);
    case OpKind::Relu: return activate(x, Activation::relu);
    case OpKind::Relu6: return activate(x, Activation::relu6);
    case OpKind::HardSwish: return x * at::hardtanh(x + 3.0, 0.0, 6.0) / 6.0;
    case OpKind::Transpose: return transpose(x, node.as<graph::TransposeAttrs>());
    case OpKind::Concatenation: {
      std::vector<Tensor> parts;
      for (size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(input(i));
      return at::cat(parts, node.as<graph::ConcatenationAttrs>().axis);
    }
    case OpKind::StridedSlice: return strided_slice(x, node.as<graph::StridedSliceAttrs>());
    case OpKind::ResizeNearest: return resize_nearest(x, node.as<graph::ResizeNearestAttrs>());
    case OpKind::BatchNorm: {
      const Tensor parameters[] = {input(1), input(2), input(3), input(4)};
      return batch_norm(x, parameters, node.as<graph::BatchNormAttrs>(), mode);
    }
    case OpKind::Dropout:
      return mode == Mode::train ? dropout(x, node.as<graph::DropoutAttrs>().rate, static_cast<uint64_t>(node.outputs[0]), key) : x;
    case OpKind::FakeQuantize: return fake_quantize(x, node.as<graph::FakeQuantizeAttrs>());
    case OpKind::ArgMax:
    case OpKind::Quantize:
    case OpKind::Dequantize:
    case OpKind::Opaque: break;
  }
  ops::refuse(node, "cannot be trained");
}

}  // namespace kinglet::train
