#include "reference/interpreter.h"

#include "base/error.h"
#include "ops/op_info.h"
#include "reference/kernels.h"

namespace kinglet::reference {

using graph::OpKind;

namespace {

void dispatch(Call& call) {
  switch (call.node.op) {
    case OpKind::Conv2d: return conv2d(call);
    case OpKind::DepthwiseConv2d: return depthwise_conv2d(call);
    case OpKind::FullyConnected: return fully_connected(call);
    case OpKind::Add: return add(call);
    case OpKind::Mul: return mul(call);
    case OpKind::AveragePool2d: return average_pool2d(call);
    case OpKind::MaxPool2d: return max_pool2d(call);
    case OpKind::Mean: return mean(call);
    case OpKind::Pad: return pad(call);
    case OpKind::Softmax: return softmax(call);
    case OpKind::Logistic: return logistic(call);
    case OpKind::Relu:
    case OpKind::Relu6: return relu(call);
    case OpKind::HardSwish: return hard_swish(call);
    case OpKind::Transpose: return transpose(call);
    case OpKind::Concatenation: return concatenation(call);
    case OpKind::StridedSlice: return strided_slice(call);
    case OpKind::ResizeNearest: return resize_nearest(call);
    case OpKind::ArgMax: return arg_max(call);
    case OpKind::Quantize: return quantize(call);
    case OpKind::Dequantize: return dequantize(call);
    case OpKind::BatchNorm: return batch_norm(call);
    case OpKind::FakeQuantize: return fake_quantize(call);
    case OpKind::Reshape:
    case OpKind::Dropout: call.out = call.in[0].reshaped(call.out.shape()); return;
    case OpKind::Opaque: ops::refuse(call.node, "cannot be run: Kinglet does not know this operator");
  }
  KINGLET_CHECK(false);
}

/// Integer networks run in int8; 8-bit unsigned appears only where Quantize and Dequantize meet it.
void check_types(const graph::Node& node, const std::vector<Tensor>& in) {
  const bool converts = node.op == OpKind::Quantize || node.op == OpKind::Dequantize;
  const bool moves = node.op == OpKind::Reshape || node.op == OpKind::Transpose || node.op == OpKind::Concatenation || node.op == OpKind::StridedSlice ||
                     node.op == OpKind::ResizeNearest;
  if (in.empty() || converts || moves || in[0].dtype() == DType::f32 || in[0].dtype() == DType::s8) return;
  ops::refuse(node, "cannot be run on " + std::string(dtype_name(in[0].dtype())) + " data", in[0].dtype() == DType::u8 ? "run the pass convert_legacy_uint8 first" : "");
}

class Run {
 public:
  Run(const graph::Graph& graph, std::span<const Tensor> inputs, const RunOptions& options) : graph_(graph), options_(options), tensors_(graph.values().size()) {
    bind(inputs);
  }

  std::vector<Tensor> all() {
    for (const auto& node : graph_.nodes()) step(node);
    std::vector<Tensor> results;
    for (auto v : graph_.outputs) results.push_back(tensors_[static_cast<size_t>(v)]);
    return results;
  }

 private:
  void bind(std::span<const Tensor> inputs) {
    KINGLET_CHECK(inputs.size() == graph_.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto& value = graph_.value(graph_.inputs[i]);
      batch_ = inputs[i].shape()[0];
      KINGLET_CHECK(inputs[i].dtype() == value.dtype && inputs[i].shape() == value.shape.with_dim(0, batch_), value.name + " given " + inputs[i].shape().str());
      tensors_[static_cast<size_t>(graph_.inputs[i])] = inputs[i];
    }
    for (size_t v = 0; v < tensors_.size(); ++v)
      if (graph_.values()[v].is_constant()) tensors_[v] = *graph_.values()[v].constant;
  }

  void step(const graph::Node& node) {
    std::vector<Tensor> in;
    for (auto v : node.inputs) in.push_back(v == graph::kNone ? Tensor() : tensors_[static_cast<size_t>(v)]);
    if (node.op == OpKind::Opaque) ops::refuse(node, "cannot be run: Kinglet does not know this operator");
    check_types(node, in);
    const auto& value = graph_.value(node.outputs[0]);
    // FakeQuantize of weights gives weights, whose dimension 0 is no batch.
    const bool of_weights = node.op == OpKind::FakeQuantize && graph_.value(node.inputs[0]).is_constant();
    Tensor out(value.dtype, of_weights ? value.shape : value.shape.with_dim(0, batch_));
    Call call{graph_, node, in, out, options_.numerics};
    dispatch(call);
    if (options_.tap) options_.tap(node, std::span(&out, 1));
    tensors_[static_cast<size_t>(node.outputs[0])] = std::move(out);
  }

  const graph::Graph& graph_;
  const RunOptions& options_;
  std::vector<Tensor> tensors_;
  int64_t batch_ = 1;
};

}  // namespace

std::vector<Tensor> run(const graph::Graph& graph, std::span<const Tensor> inputs, const RunOptions& options) { return Run(graph, inputs, options).all(); }

}  // namespace kinglet::reference
