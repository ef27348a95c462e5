#include "quantize/lockstep.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ops/numerics.h"
#include "ops/op_info.h"
#include "quantize/dequantize.h"
#include "reference/interpreter.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::kNone;
using graph::Node;
using graph::NodeIndex;
using graph::OpKind;
using graph::ValueId;

bool has_bias_input(const Node& node) { return node.op == OpKind::Conv2d || node.op == OpKind::DepthwiseConv2d || node.op == OpKind::FullyConnected; }

/// A graph of one node; activations become its inputs, in the order of `fed`.
struct SingleNode {
  Graph graph;
  std::vector<ValueId> fed;

  SingleNode(const Graph& whole, const Node& node) {
    std::map<ValueId, ValueId> ids;
    Node copy = node;
    for (ValueId& v : copy.inputs) {
      if (v == kNone) continue;
      const auto [it, fresh] = ids.insert({v, kNone});
      if (fresh) it->second = graph.add_value(whole.value(v));
      if (fresh && !whole.value(v).is_constant()) fed.push_back(v), graph.inputs.push_back(it->second);
      v = it->second;
    }
    for (ValueId& v : copy.outputs) v = graph.add_value(whole.value(v));
    graph.outputs = copy.outputs;
    graph.add_node(std::move(copy));
  }

  /// `tensors` by ValueId of the whole graph.
  Tensor run(const std::vector<Tensor>& tensors) const {
    std::vector<Tensor> inputs;
    for (ValueId v : fed) inputs.push_back(tensors[static_cast<size_t>(v)]);
    return reference::run(graph, inputs).at(0);
  }
};

/// Sums of one layer over pictures; merged over threads.
struct Sums {
  double signal = 0, noise = 0, clipped = 0, count = 0;
  Range seen;
};

/// Per-channel mean of float minus dequantized, before the activation.
struct Shift {
  std::vector<double> sum;
  double count = 0;
};

/// One chunk of pictures, its live tensors by ValueId in both graphs.
struct Chunk {
  std::vector<Tensor> real, quantized;
};

class Walker {
 public:
  Walker(const Graph& float_graph, Graph& int8_graph, std::span<const Tensor> batches, ThreadPool& pool)
      : float_(float_graph), int8_(int8_graph), pool_(pool), chunks_(batches.size()) {
    const ValueId x = float_.inputs[0];
    for (size_t i = 0; i < batches.size(); ++i) {
      chunks_[i].real.resize(float_.values().size());
      chunks_[i].quantized.resize(float_.values().size());
      chunks_[i].real[static_cast<size_t>(x)] = batches[i];
      chunks_[i].quantized[static_cast<size_t>(x)] = quantize_tensor(batches[i], int8_.value(x).quant);
    }
    last_use_.assign(float_.values().size(), -1);
    for (NodeIndex i = 0; i < float_.node_count(); ++i)
      for (ValueId v : float_.node(i).inputs)
        if (v != kNone) last_use_[static_cast<size_t>(v)] = i;
  }

  /// Returns the largest correction in steps of the output.
  double correct_bias(NodeIndex index) {
    const std::vector<double> shift = mean_shift(index);
    Node& node = int8_.node(index);
    const ValueId bias = own_bias(index, static_cast<int64_t>(shift.size()));
    const auto& weights = int8_.value(node.inputs[1]).quant;
    const double input_scale = int8_.value(node.inputs[0]).quant.scale[0], output_scale = int8_.value(node.outputs[0]).quant.scale[0];
    auto data = int8_.value(bias).constant->mutable_data<int32_t>();
    double largest = 0;
    for (size_t c = 0; c < shift.size(); ++c) {
      const double step = input_scale * double{weights.scale[weights.per_channel() ? c : 0]};
      data[c] = static_cast<int32_t>(std::clamp(data[c] + std::round(shift[c] / step), -2147483648.0, 2147483647.0));
      largest = std::max(largest, std::abs(shift[c]) / output_scale);
    }
    return largest;
  }

  LayerReport step(NodeIndex index) {
    const SingleNode real(float_, float_.node(index)), quantized(int8_, int8_.node(index));
    const auto out = static_cast<size_t>(float_.node(index).outputs[0]);
    const graph::QuantParams& quant = int8_.value(static_cast<ValueId>(out)).quant;
    std::vector<Sums> sums(chunks_.size());
    pool_.parallel_for(static_cast<int64_t>(chunks_.size()), [&](int64_t i, int) {
      Chunk& chunk = chunks_[static_cast<size_t>(i)];
      chunk.real[out] = real.run(chunk.real);
      chunk.quantized[out] = quantized.run(chunk.quantized);
      sums[static_cast<size_t>(i)] = compare(chunk.real[out], chunk.quantized[out], quant);
      release(chunk, index);
    });
    return report(index, sums);
  }

 private:
  /// The float node without its activation, and the same with the int8 node's weights, each on its own inputs.
  std::vector<double> mean_shift(NodeIndex index) const {
    Node plain = float_.node(index);
    ops::set_fused_activation(plain, graph::Activation::none);
    const SingleNode real(float_, plain);
    SingleNode quantized(float_, plain);
    replace_parameters(quantized, index);
    std::vector<Shift> shifts(chunks_.size());
    pool_.parallel_for(static_cast<int64_t>(chunks_.size()), [&](int64_t i, int) {
      const Chunk& chunk = chunks_[static_cast<size_t>(i)];
      const ValueId x = plain.inputs[0];
      const Tensor input = dequantize_tensor(chunk.quantized[static_cast<size_t>(x)], int8_.value(x).quant);
      const Tensor a = real.run(chunk.real), b = reference::run(quantized.graph, std::span(&input, 1)).at(0);
      shifts[static_cast<size_t>(i)] = channel_difference(a, b);
    });
    std::vector<double> mean(shifts.at(0).sum.size(), 0.0);
    double count = 0;
    for (const Shift& s : shifts) {
      count += s.count;
      for (size_t c = 0; c < mean.size(); ++c) mean[c] += s.sum[c];
    }
    for (double& m : mean) m /= count;
    return mean;
  }

  /// Weights and bias of the int8 node as floats. SingleNode numbers values in the order of inputs: x, weights, bias.
  void replace_parameters(SingleNode& single, NodeIndex index) const {
    const Node& node = int8_.node(index);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNone) continue;
      const auto& value = int8_.value(node.inputs[i]);
      single.graph.value(single.graph.node(0).inputs[i]).constant = dequantize_tensor(*value.constant, value.quant);
    }
  }

  static Shift channel_difference(const Tensor& a, const Tensor& b) {
    const auto x = a.data<float>(), y = b.data<float>();
    const auto channels = static_cast<size_t>(a.shape().back());
    Shift shift{std::vector<double>(channels, 0.0), static_cast<double>(x.size() / channels)};
    for (size_t i = 0; i < x.size(); ++i) shift.sum[i % channels] += double{x[i]} - double{y[i]};
    return shift;
  }

  /// The node's int32 bias, made of zeros where it has none or shares one.
  ValueId own_bias(NodeIndex index, int64_t channels) {
    Node& node = int8_.node(index);
    node.inputs.resize(3, kNone);
    const ValueId old = node.inputs[2];
    if (old != kNone && int8_.users()[static_cast<size_t>(old)].size() == 1) return old;
    graph::Value bias;
    if (old != kNone) bias = int8_.value(old);
    if (old == kNone) {
      const auto& weights = int8_.value(node.inputs[1]).quant;
      bias.dtype = DType::s32, bias.shape = Shape{channels}, bias.constant = Tensor(DType::s32, Shape{channels});
      bias.quant = {{}, std::vector<int32_t>(weights.scale.size(), 0), weights.per_channel() ? 0 : -1};
      for (float s : weights.scale) bias.quant.scale.push_back(s * int8_.value(node.inputs[0]).quant.scale[0]);
    }
    bias.name = int8_.unique_name(node.name + "_bias");
    return int8_.node(index).inputs[2] = int8_.add_value(std::move(bias));
  }

  static Sums compare(const Tensor& real, const Tensor& quantized, const graph::QuantParams& quant) {
    const auto y = real.data<float>();
    const auto q = quantized.data<int8_t>();
    const double scale = quant.scale[0], zero = quant.zero_point[0];
    const double low = (-128 - zero - 0.5) * scale, high = (127 - zero + 0.5) * scale;
    Sums sums;
    for (size_t i = 0; i < y.size(); ++i) {
      const double v = y[i], error = v - (q[i] - zero) * scale;
      sums.signal += v * v, sums.noise += error * error;
      sums.clipped += v < low || v > high;
      sums.seen = unite(sums.seen, {v, v});
    }
    sums.count = static_cast<double>(y.size());
    return sums;
  }

  LayerReport report(NodeIndex index, const std::vector<Sums>& parts) const {
    Sums sums;
    for (const Sums& part : parts) {
      sums.signal += part.signal, sums.noise += part.noise, sums.clipped += part.clipped, sums.count += part.count;
      sums.seen = unite(sums.seen, part.seen);
    }
    const Node& node = float_.node(index);
    const auto& quant = int8_.value(node.outputs[0]).quant;
    LayerReport row{node.name, std::string(op_name(node.op)), quant.scale[0], quant.zero_point[0], sums.seen.min, sums.seen.max, sums.clipped / sums.count, 0, 0};
    row.sqnr_db = sums.noise > 0 ? 10.0 * std::log10(std::max(sums.signal, 1e-300) / sums.noise) : 999.0;
    return row;
  }

  void release(Chunk& chunk, NodeIndex index) const {
    for (ValueId v : float_.node(index).inputs)
      if (v != kNone && last_use_[static_cast<size_t>(v)] == index) chunk.real[static_cast<size_t>(v)] = chunk.quantized[static_cast<size_t>(v)] = Tensor();
  }

  const Graph& float_;
  Graph& int8_;
  ThreadPool& pool_;
  std::vector<Chunk> chunks_;
  std::vector<NodeIndex> last_use_;
};

}  // namespace

std::vector<LayerReport> walk(const Graph& float_graph, Graph& int8_graph, std::span<const Tensor> batches, const LockstepOptions& options, ThreadPool& pool,
                              const ProgressCallback& progress) {
  Walker walker(float_graph, int8_graph, batches, pool);
  std::vector<LayerReport> rows;
  for (NodeIndex i = 0; i < float_graph.node_count(); ++i) {
    const bool correct = options.bias_correction && has_bias_input(float_graph.node(i));
    const double steps = correct ? walker.correct_bias(i) : 0.0;
    rows.push_back(walker.step(i));
    rows.back().bias_shift_steps = steps;
    if (progress) progress({"measure layers", i + 1, float_graph.node_count(), "layers"});
  }
  return rows;
}

int lockstep_pictures(const Graph& graph, int wanted) {
  int64_t largest = 1;
  for (const Node& node : graph.nodes()) largest = std::max(largest, graph.value(node.outputs[0]).shape.elements());
  const int64_t bytes = largest * 5 * 4;  // float and int8, about four such values alive
  return static_cast<int>(std::clamp<int64_t>((int64_t{512} << 20) / bytes, 1, wanted));
}

}  // namespace kinglet::quantize
