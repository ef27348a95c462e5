// Quantization-aware training: what the fake-quantized network says while it trains is what the int8 model says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ops/numerics.h"
#include "quantize/fake_quantize.h"
#include "quantize/pictures.h"
#include "quantize/test_pictures.h"
#include "reference/interpreter.h"
#include "train/network.h"
#include "zoo/zoo.h"

namespace kinglet::train {
namespace {

/// A few steps of descent on noise: weights that no longer are what calibration saw.
void descend(Network& network, const std::vector<Tensor>& batches, int classes) {
  auto& p = network.parameters();
  for (const Tensor& pictures : batches) {
    network.train_step(cycling_batch(pictures, classes));
    for (size_t i = 0; i < p.values.size(); ++i) p.values[i] -= 0.02f * p.gradients[i];
  }
}

struct Steps {
  double worst = 0;
  int64_t beyond_one = 0, n = 0;
};

/// Logits of the fake-quantized network against those of the int8 model, in int8 steps.
Steps compare(Network& network, graph::Model int8, const std::vector<Tensor>& batches) {
  const auto softmax = int8.graph.producers()[static_cast<size_t>(int8.graph.outputs[0])];
  int8.graph.outputs[0] = int8.graph.node(softmax).inputs[0];
  const auto& out = int8.graph.value(int8.graph.outputs[0]).quant;
  const auto& in = int8.graph.value(int8.graph.inputs[0]).quant;
  Steps steps;
  for (const Tensor& pictures : batches) {
    const Tensor fake = network.logits(pictures);
    Tensor bytes(DType::s8, pictures.shape());
    for (size_t i = 0; i < pictures.data<float>().size(); ++i)
      bytes.mutable_data<int8_t>()[i] = static_cast<int8_t>(std::lround(pictures.data<float>()[i] / in.scale[0]) + in.zero_point[0]);
    const Tensor real = reference::run(int8.graph, std::vector<Tensor>{bytes})[0];
    for (size_t i = 0; i < real.data<int8_t>().size(); ++i) {
      const double step = fake.data<float>()[i] / out.scale[0] + out.zero_point[0] - real.data<int8_t>()[i];
      steps.worst = std::max(steps.worst, std::fabs(step));
      steps.beyond_one += std::fabs(step) > 1.001;
      ++steps.n;
    }
  }
  return steps;
}

/// A model after quantization-aware training on noise, and the pictures.
struct Trained {
  graph::Model qat;
  std::vector<Tensor> batches;
};

Trained train_on_noise(const std::string& spec) {
  graph::Model model = zoo::build(spec, 3);
  const quantize::TestPictures pictures(32, 32, 32, 3);
  ThreadPool pool(1);
  std::vector<int64_t> all(32);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  Trained made;
  made.batches = quantize::load_batches(model, pictures, all, 8, pool);
  Network trained(model.graph);
  descend(trained, made.batches, 10);
  trained.parameters().store(model.graph, trained.parameters().values, trained.parameters().statistics);
  quantize::Options options;
  options.calibration_n = 32;
  options.threads = 1;
  made.qat = quantize::prepare_qat(model, pictures, options);
  Network network(made.qat.graph);
  descend(network, made.batches, 10);
  network.parameters().store(made.qat.graph, network.parameters().values, network.parameters().statistics);
  return made;
}

/// Values of the fake-quantized network in int8 steps, by the name that they have in the int8 graph.
class FakeValues {
 public:
  FakeValues(const graph::Graph& qat, Tensor pictures) : qat_(qat), pictures_(std::move(pictures)) {
    for (graph::ValueId v = 0; v < qat.value_count(); ++v) by_name_[qat.value(v).name] = v;
    for (const auto& node : qat.nodes())
      if (node.op == graph::OpKind::FakeQuantize) rounded_[node.inputs[0]] = node.outputs[0];
  }
  Tensor steps(const graph::Value& int8) {
    const auto rounded = rounded_.find(by_name_.at(int8.name));
    graph::Graph graph = qat_;
    graph.outputs = {rounded == rounded_.end() ? by_name_.at(int8.name) : rounded->second};
    const Tensor real = graph.outputs == graph.inputs ? pictures_ : Network(graph).run(pictures_);
    Tensor result(DType::s8, real.shape());
    for (size_t i = 0; i < real.data<float>().size(); ++i)
      result.mutable_data<int8_t>()[i] = ops::quantize_value(real.data<float>()[i], int8.quant.scale[0], int8.quant.zero_point[0], DType::s8);
    return result;
  }

 private:
  const graph::Graph& qat_;
  Tensor pictures_;
  std::map<std::string, graph::ValueId> by_name_;
  std::map<graph::ValueId, graph::ValueId> rounded_;
};

/// The int8 node alone on the fake-quantized network's own values.
Tensor run_alone(const graph::Graph& int8, const graph::Node& node, FakeValues& fake) {
  graph::Graph one;
  graph::Node copy = node;
  std::vector<Tensor> inputs;
  for (auto& v : copy.inputs) {
    if (v == graph::kNone) continue;
    const graph::Value value = int8.value(v);
    v = one.add_value(value);
    if (value.is_constant()) continue;
    one.inputs.push_back(v);
    inputs.push_back(fake.steps(value));
  }
  copy.outputs[0] = one.add_value(int8.value(node.outputs[0]));
  one.outputs = copy.outputs;
  one.add_node(std::move(copy));
  return reference::run(one, inputs)[0];
}

/// Steps of the output that one step of the int32 sum (and so of the rounded bias) makes.
double steps_a_unit(const graph::Graph& int8, const graph::Node& node) {
  const bool weighted = node.op == graph::OpKind::Conv2d || node.op == graph::OpKind::DepthwiseConv2d || node.op == graph::OpKind::FullyConnected;
  if (!weighted) return 1;
  const auto& w = int8.value(node.inputs[1]).quant.scale;
  return double{int8.value(node.inputs[0]).quant.scale[0]} * *std::max_element(w.begin(), w.end()) / int8.value(node.outputs[0]).quant.scale[0];
}

/// Rounding in float and in the integers of TensorFlow Lite Micro differs by a step here and there.
TEST(Qat, EveryLayerStaysWithinAStepOfTheInt8Reference) {
  for (const char* spec : {"mobilenet_v2_rep@0.35,32x32x3,10", "mobilenet_v2@0.35,32x32x3,10", "mnasnet_a1@0.25,32x32x3,10", "resnet8@32x32x3,10,input=unit"}) {
    const Trained made = train_on_noise(spec);
    const graph::Model int8 = quantize::convert_qat(made.qat);
    FakeValues fake(made.qat.graph, made.batches[0]);
    for (const auto& node : int8.graph.nodes()) {
      const Tensor real = run_alone(int8.graph, node, fake), expected = fake.steps(int8.graph.value(node.outputs[0]));
      int worst = 0;
      int64_t off = 0;
      for (size_t i = 0; i < real.data<int8_t>().size(); ++i) {
        const int difference = std::abs(real.data<int8_t>()[i] - expected.data<int8_t>()[i]);
        worst = std::max(worst, difference), off += difference != 0;
      }
      // A bias is rounded to the unit of the sum, which is coarser than the output where the outputs hardly differ.
      const double unit = steps_a_unit(int8.graph, node);
      EXPECT_LE(worst, std::max(1.0, 1 + unit / 2)) << spec << " " << node.name;
      if (unit > 0.1) continue;
      EXPECT_LE(off, 2 + int64_t(real.data<int8_t>().size()) / 50) << spec << " " << node.name << ": more than 2 % of its values are a step off";
    }
  }
}

/// End to end these steps add up with depth; a Rep net's seven layers stay within one.
TEST(Qat, ForwardPassStaysWithinAStepOfTheInt8Reference) {
  const Trained made = train_on_noise("mobilenet_v2_rep@0.35,32x32x3,10");
  Network network(made.qat.graph);
  const Steps steps = compare(network, quantize::convert_qat(made.qat), made.batches);
  EXPECT_EQ(steps.n, 320);
  EXPECT_EQ(steps.beyond_one, 0) << steps.n << " logits, the worst " << steps.worst << " steps away";
}

}  // namespace
}  // namespace kinglet::train
