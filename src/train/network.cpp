#include "train/network.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "base/error.h"
#include "train/lowering.h"

namespace kinglet::train {

namespace {

using graph::Graph;
using graph::OpKind;
using graph::ValueId;

at::Device torch_device(Device device) { return device == Device::cuda ? at::Device(at::kCUDA) : at::Device(at::kCPU); }

at::Tensor view(const Tensor& tensor) {
  const auto shape = tensor.shape().dims();
  return at::from_blob(const_cast<float*>(tensor.data<float>().data()), at::IntArrayRef(shape.data(), shape.size()), at::kFloat);
}

Tensor copy(const at::Tensor& torch_tensor) {
  const auto dense = torch_tensor.detach().cpu().contiguous();
  const std::vector<int64_t> sizes(dense.sizes().begin(), dense.sizes().end());
  return Tensor::of<float>(Shape(std::span<const int64_t>(sizes)), std::span<const float>(dense.data_ptr<float>(), static_cast<size_t>(dense.numel())));
}

/// The value before the final softmax, whose beta must be 1 for its input to be the logits.
ValueId find_logits(const Graph& graph) {
  const ValueId out = graph.outputs.at(0);
  const auto producer = graph.producers()[static_cast<size_t>(out)];
  if (producer == graph::kNone) return out;
  const auto& node = graph.node(producer);
  return node.op == OpKind::Softmax && node.as<graph::SoftmaxAttrs>().beta == 1.0f ? node.inputs[0] : out;
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  return -(targets * at::log_softmax(logits, 1)).sum() / logits.size(0);
}

}  // namespace

struct Network::Impl {
  Impl(const Graph& g, Kernels kernels, Device where)
      : graph(g),
        parameters(graph),
        device(torch_device(where)),
        lowering(graph, parameters, kernels == Kernels::own && where == Device::cpu, {device, where != Device::cpu}),
        logits(find_logits(graph)) {}

  at::Tensor input(const Tensor& tensor) const { return view(tensor).to(device); }

  at::Tensor loss(const at::Tensor& out, const Batch& batch, const LossOptions& options) const {
    const auto hard = cross_entropy(out, input(batch.targets));
    if (options.distill_weight <= 0) return hard;
    const double t = options.distill_temperature;
    const auto soft = cross_entropy(out / t, at::softmax(input(batch.teacher_logits) / t, 1));
    return hard * (1 - options.distill_weight) + soft * (options.distill_weight * t * t);
  }

  void collect(const std::vector<at::Tensor>& gradients) {
    const auto& slots = lowering.leaf_slots();
    for (size_t i = 0; i < slots.size(); ++i) {
      if (!gradients[i].defined()) continue;
      const auto dense = gradients[i].cpu().contiguous();
      std::copy_n(dense.data_ptr<float>(), slots[i]->size, parameters.gradients.begin() + slots[i]->offset);
    }
  }

  const Graph graph;
  Parameters parameters;
  const at::Device device;
  Lowering lowering;
  ValueId logits;
};

Batch cycling_batch(Tensor input, int classes) {
  Batch batch;
  batch.input = std::move(input);
  const int64_t n = batch.input.shape()[0];
  batch.targets = Tensor(DType::f32, Shape{n, classes});
  auto targets = batch.targets.mutable_data<float>();
  for (int64_t i = 0; i < n; ++i) {
    targets[static_cast<size_t>(i * classes + i % classes)] = 1.0f;
    batch.pictures.push_back(i);
  }
  return batch;
}

Device choose_device(const std::string& word) {
  const bool present = word != "cpu" && at::globalContext().hasCUDA();
  if (word == "cuda" && !present)
    throw Error("device: cuda", "this libtorch sees no CUDA device", "use device: cpu, or build against a CUDA libtorch with -DTorch_DIR=", ErrorKind::missing_dependency);
  return present ? Device::cuda : Device::cpu;
}

Network::Network(const Graph& graph, Kernels kernels, Device device) : impl_(std::make_unique<Impl>(graph, kernels, device)) {
  at::globalContext().setFlushDenormal(true);
}
Network::~Network() = default;
Parameters& Network::parameters() { return impl_->parameters; }
int Network::classes() const { return static_cast<int>(impl_->graph.value(impl_->logits).shape.back()); }

StepResult Network::train_step(const Batch& batch, const LossOptions& options) {
  auto& gradients = impl_->parameters.gradients;
  std::fill(gradients.begin(), gradients.end(), 0.0f);
  impl_->lowering.send_parameters();
  const auto out = impl_->lowering.run(impl_->input(batch.input), impl_->logits, Mode::train, {batch.seed, batch.epoch, &batch.pictures});
  const auto loss = impl_->loss(out, batch, options);
  impl_->collect(torch::autograd::grad({loss}, impl_->lowering.leaves(), {}, {}, false, true));
  impl_->lowering.fetch_statistics();
  const auto hits = out.detach().cpu().argmax(1).eq(view(batch.targets).argmax(1)).sum();
  return {loss.item<double>(), hits.item<int64_t>()};
}

Tensor Network::logits(const Tensor& input) {
  at::NoGradGuard no_grad;
  impl_->lowering.send_parameters();
  return copy(impl_->lowering.run(impl_->input(input), impl_->logits, Mode::eval, {}));
}

Tensor Network::run(const Tensor& input) {
  at::NoGradGuard no_grad;
  impl_->lowering.send_parameters();
  return copy(impl_->lowering.run(impl_->input(input), impl_->graph.outputs.at(0), Mode::eval, {}));
}

void set_torch_threads(int threads) { at::set_num_threads(threads); }

}  // namespace kinglet::train
