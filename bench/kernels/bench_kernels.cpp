// Speed of every kernel on layers of real networks: GMAC/s and the share of the measured peak of its instructions, for
// each level that this processor has. bench_kernels --benchmark_filter=conv2d_s8
#include <benchmark/benchmark.h>

#include <functional>

#include "eval/peak.h"
#include "ops/builder.h"
#include "plan/plan.h"
#include "runtime/session.h"

namespace {

using namespace kinglet;
using graph::OpKind;
using graph::QuantParams;

QuantParams grid() { return QuantParams::per_tensor(0.05f, -3); }

Tensor zeros(DType dtype, Shape shape) { return {dtype, shape}; }

struct Layer {
  const char* name;
  int side, in_c, out_c, kernel, stride;
};

graph::Graph conv(const Layer& l, bool is_f32) {
  ops::GraphBuilder b;
  const DType type = is_f32 ? DType::f32 : DType::s8;
  const QuantParams q = is_f32 ? QuantParams{} : grid();
  const auto x = b.input("x", {1, l.side, l.side, l.in_c}, type, q);
  const bool depthwise = l.out_c == 0;
  const Shape shape = depthwise ? Shape{1, l.kernel, l.kernel, l.in_c} : Shape{l.out_c, l.kernel, l.kernel, l.in_c};
  const auto w = b.constant("w", zeros(type, shape), false, is_f32 ? QuantParams{} : QuantParams::per_tensor(0.01f, 0));
  const graph::Padding same{graph::PaddingMode::same};
  if (depthwise) b.output(b.node(OpKind::DepthwiseConv2d, graph::DepthwiseConv2dAttrs{l.stride, l.stride, 1, 1, 1, same}, {x, w}, "y", q));
  else b.output(b.node(OpKind::Conv2d, graph::Conv2dAttrs{l.stride, l.stride, 1, 1, same}, {x, w}, "y", q));
  return b.finish();
}

graph::Graph fully_connected(int in, int out, bool is_f32) {
  ops::GraphBuilder b;
  const DType type = is_f32 ? DType::f32 : DType::s8;
  const QuantParams q = is_f32 ? QuantParams{} : grid();
  const auto x = b.input("x", {1, in}, type, q);
  const auto w = b.constant("w", zeros(type, {out, in}), false, is_f32 ? QuantParams{} : QuantParams::per_tensor(0.01f, 0));
  b.output(b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, w}, "y", q));
  return b.finish();
}

graph::Graph binary(OpKind op, bool is_f32) {
  ops::GraphBuilder b;
  const DType type = is_f32 ? DType::f32 : DType::s8;
  const QuantParams q = is_f32 ? QuantParams{} : grid();
  const auto x = b.input("x", {1, 32, 32, 16}, type, q), y = b.input("y", {1, 32, 32, 16}, type, q);
  b.output(b.node(op, graph::ActivationAttrs{}, {x, y}, "z", q));
  return b.finish();
}

graph::Graph unary(OpKind op, const graph::Attrs& attrs, Shape shape, bool is_f32) {
  ops::GraphBuilder b;
  const QuantParams q = is_f32 ? QuantParams{} : grid();
  b.output(b.node(op, attrs, {b.input("x", shape, is_f32 ? DType::f32 : DType::s8, q)}, "y", q));
  return b.finish();
}

void run(benchmark::State& state, const graph::Graph& graph, plan::Isa isa) {
  const plan::Plan plan = plan::make_plan(graph, plan::host_target(ops::Numerics::tflm, isa));
  runtime::Session session(plan);
  std::vector<Tensor> in, out;
  std::vector<const void*> in_p;
  std::vector<void*> out_p;
  for (const auto& p : plan.inputs) in_p.push_back(in.emplace_back(p.dtype, p.shape).bytes().data());
  for (const auto& p : plan.outputs) out_p.push_back(out.emplace_back(p.dtype, p.shape).mutable_bytes().data());
  for (auto _ : state) session.run(in_p, out_p);
  state.SetLabel(std::string(plan::kernel_name(plan.steps.back().kernel)));
  const auto runs = static_cast<double>(state.iterations());
  if (plan.macs() == 0) {
    state.counters["values/s"] = benchmark::Counter(static_cast<double>(out[0].elements()) * runs, benchmark::Counter::kIsRate);
    return;
  }
  const double macs = static_cast<double>(plan.macs()) * runs;
  state.counters["MAC/s"] = benchmark::Counter(macs, benchmark::Counter::kIsRate);
  if (const auto peak = eval::peak_gmacs_per_s(isa, plan.inputs[0].dtype))
    state.counters["of_peak_%"] = benchmark::Counter(100.0 * macs / (*peak * 1e9), benchmark::Counter::kIsRate);
}

void add(const std::string& name, const std::function<graph::Graph(bool)>& make) {
  for (bool is_f32 : {false, true})
    for (plan::Isa isa : plan::available_isas()) {
      if (is_f32 && isa == plan::Isa::avx512vnni) continue;
      const std::string full = name + (is_f32 ? "_f32/" : "_s8/") + std::string(plan::isa_name(isa));
      benchmark::RegisterBenchmark(full.c_str(), [make, is_f32, isa](benchmark::State& s) { run(s, make(is_f32), isa); });
    }
}

void register_all() {
  static const Layer kLayers[] = {
      {"conv2d/stem_32x32x3_16", 32, 3, 16, 3, 1},     {"conv2d/3x3_32x32x16_16", 32, 16, 16, 3, 1},  {"conv2d/3x3_16x16x32_32", 16, 32, 32, 3, 1},
      {"conv2d/3x3_8x8x64_64", 8, 64, 64, 3, 1},       {"conv2d/1x1_12x12x64_64", 12, 64, 64, 1, 1},  {"conv2d/1x1_3x3x256_256", 3, 256, 256, 1, 1},
      {"depthwise_conv2d/3x3_48x48x8", 48, 8, 0, 3, 1}, {"depthwise_conv2d/3x3_12x12x64", 12, 64, 0, 3, 1},
  };
  for (const Layer& l : kLayers) add(l.name, [l](bool f) { return conv(l, f); });
  add("fully_connected/64_10", [](bool f) { return fully_connected(64, 10, f); });
  add("fully_connected/1024_1024", [](bool f) { return fully_connected(1024, 1024, f); });
  add("add/32x32x16", [](bool f) { return binary(OpKind::Add, f); });
  add("mul/32x32x16", [](bool f) { return binary(OpKind::Mul, f); });
  add("average_pool2d/8x8x64", [](bool f) { return unary(OpKind::AveragePool2d, graph::Pool2dAttrs{8, 8, 8, 8}, {1, 8, 8, 64}, f); });
  add("max_pool2d/44x44x64", [](bool f) { return unary(OpKind::MaxPool2d, graph::Pool2dAttrs{5, 5, 2, 2}, {1, 44, 44, 64}, f); });
  add("mean/8x8x64", [](bool f) { return unary(OpKind::Mean, graph::MeanAttrs{{1, 2}, false}, {1, 8, 8, 64}, f); });
  add("softmax/10", [](bool f) { return unary(OpKind::Softmax, graph::SoftmaxAttrs{}, {1, 10}, f); });
  add("relu/32x32x16", [](bool f) { return unary(OpKind::Relu, graph::NoAttrs{}, {1, 32, 32, 16}, f); });
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
