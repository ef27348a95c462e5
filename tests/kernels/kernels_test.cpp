// Every kernel of every instruction set that this machine has, against the reference interpreter.
#include "compare.h"

namespace kinglet::testing {
namespace {

using plan::Kernel;

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
