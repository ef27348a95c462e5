#include "runtime/session.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "ops/builder.h"

namespace {
thread_local bool counting = false;
thread_local int allocations = 0;
}  // namespace

// Counts what the test below must not see. (g++ 12 takes malloc in one replacement and free in another for a mismatch.)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t bytes) {
  if (counting) ++allocations;
  if (void* p = std::malloc(bytes ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(bytes ? bytes : 1);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace kinglet::runtime {
namespace {

using graph::OpKind;

/// y = max(x, 0) twice, then the sum of both: three steps.
graph::Graph small_graph() {
  ops::GraphBuilder b;
  const auto x = b.input("x", {1, 4});
  const auto r = b.node(OpKind::Relu, graph::NoAttrs{}, {x}, "r");
  const auto s = b.node(OpKind::Relu6, graph::NoAttrs{}, {x}, "s");
  b.output(b.node(OpKind::Add, graph::ActivationAttrs{}, {r, s}, "y"));
  return b.finish();
}

TEST(Session, RunsAndTaps) {
  const plan::Plan plan = plan::make_plan(small_graph(), plan::portable_target());
  Session session(plan);
  const float x[4] = {-1, 2, 7, 0.5f};
  float y[4] = {};
  std::vector<float> first;
  session.set_tap([&](int step, std::span<const std::byte> bytes) {
    if (step == 0) first.assign(reinterpret_cast<const float*>(bytes.data()), reinterpret_cast<const float*>(bytes.data()) + 4);
  });
  session.run(x, y);
  EXPECT_EQ(first, (std::vector<float>{0, 2, 7, 0.5f}));
  EXPECT_FLOAT_EQ(y[0], 0);
  EXPECT_FLOAT_EQ(y[1], 4);
  EXPECT_FLOAT_EQ(y[2], 13);
  EXPECT_FLOAT_EQ(y[3], 1);
}

TEST(Session, RunAllocatesNothing) {
  const plan::Plan plan = plan::make_plan(small_graph(), plan::host_target());
  Session session(plan);
  const float x[4] = {1, 2, 3, 4};
  float y[4];
  allocations = 0, counting = true;
  void* probe = ::operator new(8);  // a call that no compiler removes
  counting = false;
  ::operator delete(probe);
  ASSERT_EQ(allocations, 1) << "the counter does not count";
  allocations = 0, counting = true;
  session.run(x, y);
  counting = false;
  EXPECT_EQ(allocations, 0);
}

}  // namespace
}  // namespace kinglet::runtime
