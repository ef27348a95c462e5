#include "eval/latency.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "eval/engine.h"
#include "eval/peak.h"
#include "ops/builder.h"

namespace kinglet::eval {
namespace {

/// 8x8x4 picture, a 3x3 convolution to 8 channels (18,432 MACs with SAME padding) and a flattened output.
graph::Graph small_net() {
  ops::GraphBuilder b;
  const auto x = b.input("x", {1, 8, 8, 4});
  const auto w = b.constant("w", Tensor::of<float>({8, 3, 3, 4}, std::vector<float>(288, 0.25f)));
  const auto bias = b.constant("b", Tensor::of<float>({8}, std::vector<float>(8, 1.0f)));
  graph::Conv2dAttrs conv;
  conv.padding.mode = graph::PaddingMode::same;
  const auto y = b.node(graph::OpKind::Conv2d, conv, {x, w, bias}, "conv");
  b.output(b.node(graph::OpKind::Softmax, graph::SoftmaxAttrs{}, {b.node(graph::OpKind::Reshape, graph::ReshapeAttrs{{512}}, {y}, "flat")}, "softmax"));
  return b.finish();
}

TEST(Latency, ARecordThatHangsTogether) {
  const auto plan = plan::make_plan(small_net(), plan::portable_target());
  BenchOptions options;
  options.runs = 21;
  options.layers = true;
  const BenchReport report = bench(plan, options);
  EXPECT_EQ(report.macs, 18432);
  EXPECT_EQ(report.isa, "generic");
  EXPECT_EQ(report.runs, 21);
  EXPECT_FALSE(report.machine.empty());
  EXPECT_GT(report.min_us, 0.0);
  EXPECT_LE(report.min_us, report.median_us);
  EXPECT_LE(report.median_us, report.p95_us);
  EXPECT_NEAR(report.gmacs_per_s(), 18.432 / report.median_us, 1e-6 * report.gmacs_per_s());
  ASSERT_EQ(report.layers.size(), plan.steps.size());
  int64_t macs = 0;
  for (const auto& layer : report.layers) macs += layer.macs;
  EXPECT_EQ(macs, 18432);
  EXPECT_NE(report.layers[0].kernel.find("conv2d_f32"), std::string::npos);
  EXPECT_EQ(bench_report_to_json(bench_report_from_json(bench_report_to_json(report), "report")), bench_report_to_json(report));
}

TEST(Latency, JsonHasTheFieldsThatScriptsRead) {
  const auto plan = plan::make_plan(small_net(), plan::portable_target());
  BenchOptions options;
  options.runs = 1;
  options.peak = false;
  const Json json = bench_report_to_json(bench(plan, options));
  for (const char* key : {"min_us", "median_us", "p95_us", "macs", "gmacs_per_s", "peak_share", "arena_bytes", "threads", "isa"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_TRUE(json["peak_share"].is_null());
  options.runs = 0;
  EXPECT_THROW(bench(plan, options), Error);
}

TEST(Latency, PeakRisesWithTheInstructionSet) {
  const auto isas = plan::available_isas();
  for (DType dtype : {DType::f32, DType::s8}) {
    double below = 0.5;  // 10^9 MACs/s: any x86-64 of this century does more
    for (auto isa : isas) {
      const auto peak = peak_gmacs_per_s(isa, dtype);
      if (!peak) GTEST_SKIP() << "needs an x86-64 processor and an optimized build";
      EXPECT_GT(*peak, below) << plan::isa_name(isa) << " " << dtype_name(dtype);
      below = 0.9 * *peak;
    }
  }
  EXPECT_FALSE(peak_gmacs_per_s(plan::Isa::generic, DType::s32).has_value());
}

TEST(Engine, SessionAndReferenceAgree) {
  const auto graph = small_net();
  const auto fast = session_engine(graph, plan::host_target(), 2), slow = reference_engine(graph, ops::Numerics::tflm, 2);
  std::vector<float> pictures(3 * 256);
  for (size_t i = 0; i < pictures.size(); ++i) pictures[i] = static_cast<float>(i % 17) / 16.0f;
  const auto a = run_raw(*fast, std::as_bytes(std::span(pictures)), "raw"), b = run_raw(*slow, std::as_bytes(std::span(pictures)), "raw");
  ASSERT_EQ(a.size(), 3 * 512 * sizeof(float));
  ASSERT_EQ(a.size(), b.size());
  const auto* x = reinterpret_cast<const float*>(a.data());
  const auto* y = reinterpret_cast<const float*>(b.data());
  for (size_t i = 0; i < 3 * 512; ++i) ASSERT_NEAR(x[i], y[i], 1e-5f * std::max(1.0f, y[i])) << i;
  EXPECT_EQ(fast->name().substr(0, 9), "session (");
}

}  // namespace
}  // namespace kinglet::eval
