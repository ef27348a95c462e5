// A graph through make_plan and Session on every instruction set that this machine has, against the reference interpreter.
#pragma once

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

inline std::vector<plan::Target> targets(ops::Numerics numerics = ops::Numerics::tflm) {
  std::vector<plan::Target> list{plan::portable_target(numerics)};
  for (plan::Isa isa : plan::available_isas()) list.push_back(plan::host_target(numerics, isa));
  return list;
}

inline std::vector<Tensor> run_plan(const plan::Plan& plan, const std::vector<Tensor>& inputs) {
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
inline void expect_same(const Tensor& got, const Tensor& want, const std::string& where) {
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

inline void compare(const Case& c, ops::Numerics numerics, int draws, std::set<plan::Kernel>* used = nullptr) {
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

}  // namespace kinglet::testing
