#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

namespace kinglet::train {

double learning_rate(const Recipe& recipe, int64_t step, int64_t steps_per_epoch) {
  const double warm = recipe.warmup_epochs * double(steps_per_epoch), total = double(recipe.epochs) * double(steps_per_epoch);
  if (double(step) < warm) return recipe.lr * double(step + 1) / (warm + 1);
  if (recipe.schedule == "constant" || total <= warm) return recipe.lr;
  const double done = (double(step) - warm) / (total - warm);
  return recipe.final_lr + 0.5 * (recipe.lr - recipe.final_lr) * (1 + std::cos(3.14159265358979323846 * done));
}

Optimizer::Optimizer(const Recipe& recipe, const Parameters& parameters)
    : first(parameters.values.size(), 0.0f), recipe_(recipe), decay_(parameters.values.size(), 0.0f) {
  if (recipe.optimizer == "adamw") second.assign(parameters.values.size(), 0.0f);
  for (const ParameterSlot& slot : parameters.slots())
    if (slot.is_weight || recipe.decay_all)
      std::fill_n(decay_.begin() + slot.offset, slot.size, static_cast<float>(recipe.weight_decay));
}

void Optimizer::step(Parameters& parameters, double lr) {
  ++steps;
  if (recipe_.clip_norm > 0) {
    double squares = 0;
    for (float g : parameters.gradients) squares += double(g) * g;
    const double shrink = recipe_.clip_norm / std::max(recipe_.clip_norm, std::sqrt(squares));
    for (float& g : parameters.gradients) g = static_cast<float>(g * shrink);
  }
  if (second.empty()) step_sgd(parameters, lr);
  else step_adamw(parameters, lr);
}

void Optimizer::step_sgd(Parameters& parameters, double lr_double) {
  const float lr = static_cast<float>(lr_double), momentum = static_cast<float>(recipe_.momentum);
  float *w = parameters.values.data(), *g = parameters.gradients.data(), *v = first.data();
  const float* decay = decay_.data();
  for (size_t i = 0; i < first.size(); ++i) {
    const float gradient = g[i] + decay[i] * w[i];
    v[i] = momentum * v[i] + gradient;
    w[i] -= lr * (recipe_.nesterov ? gradient + momentum * v[i] : v[i]);
  }
}

void Optimizer::step_adamw(Parameters& parameters, double lr) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEps = 1e-8;
  const double correct1 = 1 - std::pow(kBeta1, double(steps)), correct2 = 1 - std::pow(kBeta2, double(steps));
  const float rate = static_cast<float>(lr / correct1), root = static_cast<float>(1 / std::sqrt(correct2)), shrink = static_cast<float>(lr);
  float *w = parameters.values.data(), *g = parameters.gradients.data(), *m = first.data(), *v = second.data();
  for (size_t i = 0; i < first.size(); ++i) {
    m[i] += static_cast<float>(1 - kBeta1) * (g[i] - m[i]);
    v[i] += static_cast<float>(1 - kBeta2) * (g[i] * g[i] - v[i]);
    w[i] -= shrink * decay_[i] * w[i];
    w[i] -= rate * m[i] / (std::sqrt(v[i]) * root + static_cast<float>(kEps));
  }
}

MovingAverage::MovingAverage(double decay, const Parameters& parameters)
    : values(parameters.values), statistics(parameters.statistics), decay_(decay) {}

void MovingAverage::update(const Parameters& parameters) {
  ++updates;
  const double young = (1.0 + double(updates)) / (10.0 + double(updates));
  const float share = static_cast<float>(1 - std::min(decay_, young));
  for (size_t i = 0; i < values.size(); ++i) values[i] += share * (parameters.values[i] - values[i]);
  for (size_t i = 0; i < statistics.size(); ++i) statistics[i] += share * (parameters.statistics[i] - statistics[i]);
}

}  // namespace kinglet::train
