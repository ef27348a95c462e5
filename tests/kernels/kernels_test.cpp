// Every kernel of every instruction set that this machine has, against the reference interpreter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ops/builder.h"
#include "plan/plan.h"
#include "random_graphs.h"
#include "reference/interpreter.h"
#include "runtime/session.h"

namespace kinglet::testing {
namespace {

using plan::Isa;
using plan::Kernel;

std::vector<plan::Target> targets(ops::Numerics numerics = ops::Numerics::tflm) {
  std::vector<plan::Target> list{plan::portable_target(numerics)};
  for (Isa isa : plan::available_isas()) list.push_back(plan::host_target(numerics, isa));
  return list;
}

std::vector<Tensor> run_plan(const plan::Plan& plan, const std::vector<Tensor>& inputs) {
  runtime::Session session(plan);
  std::vector<const void*> in;
  for (const auto& t : inputs) in.push_back(t.bytes().data());
  std::vector<Tensor> results;
  for (const auto& port : plan.outputs) results.emplace_back(port.dtype, port.shape);
  std::vector<void*> out;
  for (auto& t : results) out.push_back(t.mutable_bytes().data());
  session.run(in, out);
  return results;
}

/// int8 to the bit; float32 within 2e-5 of the largest value (sums of up to 1,300 products in another order, fused).
void expect_same(const Tensor& got, const Tensor& want, const std::string& where) {
  ASSERT_EQ(got.dtype(), want.dtype()) << where;
  ASSERT_EQ(got.shape(), want.shape()) << where;
  if (want.dtype() != DType::f32) {
    const auto a = got.bytes(), b = want.bytes();
    const auto at = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
    ASSERT_EQ(static_cast<size_t>(at), a.size()) << where << ": byte " << at << " is " << int(a[static_cast<size_t>(at)]) << ", not " << int(b[static_cast<size_t>(at)]);
    return;
  }
  float largest = 1.0f;
  for (float f : want.data<float>()) largest = std::max(largest, std::fabs(f));
  for (size_t i = 0; i < want.data<float>().size(); ++i)
    ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 2e-5f * largest) << where << ": element " << i;
}

void compare(const Case& c, ops::Numerics numerics, int draws, std::set<Kernel>* used = nullptr) {
  RandomStream random(test_seed(), 1, c.name.size(), Purpose::draw);
  for (int draw = 0; draw < draws; ++draw) {
    const auto inputs = random_inputs(c.graph, random);
    const auto want = reference::run(c.graph, inputs, {numerics, {}});
    for (const auto& target : targets(numerics)) {
      const auto plan = plan::make_plan(c.graph, target);
      if (used)
        for (const auto& step : plan.steps) used->insert(step.kernel);
      const auto got = run_plan(plan, inputs);
      ASSERT_EQ(got.size(), want.size());
      for (size_t i = 0; i < got.size(); ++i) expect_same(got[i], want[i], c.name + " on " + target.name + "/" + std::string(plan::isa_name(target.isa)));
    }
  }
}

// A row of kernels.def without a case here fails.
TEST(Kernels, EveryKernelEqualsTheReference) {
  std::set<Kernel> used;
  for (const auto& c : operator_cases(test_seed(), 40)) {
    compare(c, ops::Numerics::tflm, 2, &used);
    if (HasFatalFailure()) return;
  }
  const auto have = plan::available_isas();
  for (Kernel kernel : plan::all_kernels()) {
    const bool available = std::find(have.begin(), have.end(), plan::kernel_isa(kernel)) != have.end();
    EXPECT_TRUE(!available || used.count(kernel)) << plan::kernel_name(kernel) << " has no case";
  }
}

TEST(Kernels, OtherNumericsEqualTheReference) {
  for (const auto& c : operator_cases(test_seed() + 1, 8))
    for (auto numerics : {ops::Numerics::litert2, ops::Numerics::tflite214}) {
      compare(c, numerics, 1);
      if (HasFatalFailure()) return;
    }
}

TEST(Kernels, NetworksEqualTheReference) {
  for (const auto& c : network_cases(test_seed(), 60)) {
    compare(c, ops::Numerics::tflm, 3);
    if (HasFatalFailure()) return;
  }
}

// 1,001 classes alike: the shift that follows the reciprocal passes 31 bits.
TEST(Kernels, SoftmaxOfManyEqualClassesEqualsTheReference) {
  for (int n : {255, 256, 257, 511, 512, 513, 1001, 2048, 4000}) {
    ops::GraphBuilder b;
    const auto x = b.input("x", {1, n}, DType::s8, graph::QuantParams::per_tensor(1e-4f, 0));
    b.output(b.node(graph::OpKind::Softmax, graph::SoftmaxAttrs{}, {x}, "y", graph::QuantParams::per_tensor(1.0f / 256, -128)));
    compare({"softmax_" + std::to_string(n), b.finish()}, ops::Numerics::tflm, 2);
  }
}

// What two plans both materialise must be the same bytes, whatever their kernels and arenas.
TEST(Kernels, TapSeesTheReferencesValuesInEveryStep) {
  for (const auto& c : network_cases(test_seed() + 2, 24)) {
    if (c.graph.value(c.graph.inputs[0]).dtype == DType::f32) continue;
    RandomStream random(test_seed(), 2, 0, Purpose::draw);
    const auto inputs = random_inputs(c.graph, random);
    std::vector<Tensor> values(c.graph.values().size());
    reference::run(c.graph, inputs, {ops::Numerics::tflm, [&](const graph::Node& node, std::span<const Tensor> out) { values[static_cast<size_t>(node.outputs[0])] = out[0]; }});
    for (const auto& target : targets()) {
      const auto plan = plan::make_plan(c.graph, target);
      runtime::Session session(plan);
      int seen = 0;
      session.set_tap([&](int step, std::span<const std::byte> bytes) {
        const auto want = values[static_cast<size_t>(plan.steps[static_cast<size_t>(step)].value)].bytes();
        EXPECT_EQ(step, seen++);
        ASSERT_EQ(bytes.size(), want.size());
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), want.begin())) << c.name << " step " << plan.steps[static_cast<size_t>(step)].node;
      });
      std::vector<const void*> in;
      for (const auto& t : inputs) in.push_back(t.bytes().data());
      std::vector<Tensor> results;
      std::vector<void*> out;
      for (const auto& port : plan.outputs) results.emplace_back(port.dtype, port.shape);
      for (auto& t : results) out.push_back(t.mutable_bytes().data());
      session.run(in, out);
      EXPECT_EQ(static_cast<size_t>(seen), plan.steps.size());
    }
  }
}

}  // namespace
}  // namespace kinglet::testing
