#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/checkpoint.h"
#include "zoo/zoo.h"
#include "base/error.h"

namespace kinglet::train {
namespace {

Recipe recipe(const std::string& optimizer) {
  Recipe r;
  r.optimizer = optimizer;
  r.epochs = 10;
  r.lr = 0.1;
  r.weight_decay = 0.01;
  return r;
}

Parameters small() {
  Parameters p(zoo::build("resnet8@32x32x3,10", 1).graph);
  for (size_t i = 0; i < p.gradients.size(); ++i) p.gradients[i] = static_cast<float>(i % 7) - 3;
  return p;
}

TEST(Schedule, WarmsUpAndFallsAsACosine) {
  Recipe r = recipe("sgd");
  r.warmup_epochs = 1;
  EXPECT_LT(learning_rate(r, 0, 100), 0.002);
  EXPECT_NEAR(learning_rate(r, 99, 100), 0.1, 0.002);
  EXPECT_DOUBLE_EQ(learning_rate(r, 100, 100), 0.1);
  EXPECT_NEAR(learning_rate(r, 550, 100), 0.05, 1e-12);
  EXPECT_LT(learning_rate(r, 999, 100), 1e-5);
  r.schedule = "constant";
  EXPECT_DOUBLE_EQ(learning_rate(r, 999, 100), 0.1);
}

TEST(Optimizer, SgdWithNesterovMomentum) {
  Parameters p = small();
  const auto slot = p.slots().front();  // a weight: decayed
  const size_t i = static_cast<size_t>(slot.offset);
  ASSERT_TRUE(slot.is_weight);
  Optimizer optimizer(recipe("sgd"), p);
  double w = p.values[i], v = 0;
  for (int step = 0; step < 3; ++step) {
    const double g = p.gradients[i] + 0.01 * w;
    v = 0.9 * v + g;
    w -= 0.1 * (g + 0.9 * v);
    optimizer.step(p, 0.1);
    EXPECT_NEAR(p.values[i], w, 1e-5);
  }
}

TEST(Optimizer, BiasesAndNormalizationAreNotDecayed) {
  Parameters p = small();
  std::fill(p.gradients.begin(), p.gradients.end(), 0.0f);
  std::fill(p.values.begin(), p.values.end(), 1.0f);
  Optimizer(recipe("adamw"), p).step(p, 0.1);
  for (const auto& slot : p.slots()) EXPECT_NEAR(p.values[static_cast<size_t>(slot.offset)], slot.is_weight ? 1 - 0.1 * 0.01 : 1.0, 1e-6) << slot.name;
}

TEST(Optimizer, AdamWsFirstStepIsTheRate) {
  Recipe r = recipe("adamw");
  r.weight_decay = 0;
  Parameters p = small();
  const auto before = p.values;
  Optimizer(r, p).step(p, 0.001);
  for (size_t i = 0; i < 50; ++i) {
    const double sign = p.gradients[i] > 0 ? 1 : p.gradients[i] < 0 ? -1 : 0;
    EXPECT_NEAR(p.values[i], before[i] - 0.001 * sign, 1e-6);
  }
}

TEST(Optimizer, ClippingBoundsTheNorm) {
  Recipe r = recipe("sgd");
  r.clip_norm = 2;
  Parameters p = small();
  Optimizer(r, p).step(p, 0.1);
  double squares = 0;
  for (float g : p.gradients) squares += double(g) * g;
  EXPECT_NEAR(std::sqrt(squares), 2, 1e-3);
}

TEST(MovingAverage, FollowsParametersAndStatistics) {
  Parameters p = small();
  MovingAverage average(0.5, p);
  std::fill(p.values.begin(), p.values.end(), 0.0f);
  std::fill(p.statistics.begin(), p.statistics.end(), 4.0f);
  for (int i = 0; i < 60; ++i) average.update(p);
  EXPECT_NEAR(average.values[3], 0, 1e-5);
  EXPECT_NEAR(average.statistics[3], 4, 1e-5);
}

TEST(Checkpoint, StateSurvivesItsBytes) {
  TrainState s;
  s.epoch = 3;
  s.step = 17;
  s.loss_sum = 0.1 + 0.2;
  s.first = {1.5f, -0.0f, 3e-41f};
  s.average = {2.0f};
  s.best_top1 = 71.3;
  s.threads = 2;
  s.recipe = "a: \"b\"\n";
  s.records = {{1, 0.1, 2.302585092994046, 10.5, -1, 1234.5, 3.25}};
  const auto bytes = encode_state(s);
  const TrainState t = decode_state(bytes, "x");
  EXPECT_EQ(t.step, 17);
  EXPECT_EQ(t.loss_sum, s.loss_sum);
  EXPECT_EQ(t.first, s.first);
  EXPECT_TRUE(std::signbit(t.first[1]));
  EXPECT_EQ(t.records[0].loss, s.records[0].loss);
  EXPECT_EQ(encode_state(t), bytes);
  for (size_t n : {size_t{3}, size_t{40}, bytes.size() - 1}) EXPECT_THROW(decode_state(std::span(bytes).first(n), "x"), Error);
}

}  // namespace
}  // namespace kinglet::train
