// SGD with momentum and AdamW over the flat arrays of Parameters, the learning rate's schedule, and the moving average.
#pragma once

#include <cstdint>
#include <vector>

#include "train/parameters.h"
#include "train/recipe.h"

namespace kinglet::train {

/// Linear warm-up, then half a cosine down to final_lr (Loshchilov and Hutter 2017) or constant. `step` counts from 0 over
/// the whole run.
double learning_rate(const Recipe& recipe, int64_t step, int64_t steps_per_epoch);

class Optimizer {
 public:
  Optimizer(const Recipe& recipe, const Parameters& parameters);
  /// One update of parameters.values from parameters.gradients. Same sums in the same order on every machine.
  void step(Parameters& parameters, double lr);

  std::vector<float> first, second;  ///< momentum; AdamW's second moment (empty for SGD)
  int64_t steps = 0;

 private:
  void step_sgd(Parameters& parameters, double lr);
  void step_adamw(Parameters& parameters, double lr);
  Recipe recipe_;
  std::vector<float> decay_;  ///< weight decay of each parameter
};

/// average += (1 - decay) (values - average), with decay = min(limit, (1 + n) / (10 + n)) while it is young (Tan and Le 2019's
/// training code); parameters and running statistics alike.
class MovingAverage {
 public:
  MovingAverage(double decay, const Parameters& parameters);
  void update(const Parameters& parameters);
  bool enabled() const { return decay_ > 0; }

  std::vector<float> values, statistics;
  int64_t updates = 0;

 private:
  double decay_;
};

}  // namespace kinglet::train
