#include "train/fine_tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/random.h"
#include "train/network.h"
#include "train/start_model.h"

namespace kinglet::train {

namespace {

constexpr const char* kRecipe =
    "epochs: 20\nfreeze_epochs: 3\nfreeze_lr: 3e-3\noptimizer: adamw\nlr: 1e-3\nweight_decay: 0.01\nclip_norm: 1\nwarmup_epochs: 0.5\n"
    "ema: 0.99\nlabel_smoothing: 0.05\nbatch: 32\naugment:\n  flip: true\n  brightness: 0.2\n  contrast: 0.2\n  saturation: 0.2\n  scale: 0.1\n";
constexpr double kRateWithoutNorm = 2e-4;
constexpr int kMostEpochs = 40, kFewestEpochs = 3, kHeadEpochs = 3;
/// Share of the time for steps; the rest reads pictures, validates and saves.
constexpr double kStepShare = 0.8;

Batch noise_batch(const graph::Model& model, int classes, int n) {
  Tensor input(DType::f32, model.graph.value(model.graph.inputs.at(0)).shape.with_dim(0, n));
  RandomStream random(1, 0, 0, Purpose::draw);
  for (float& x : input.mutable_data<float>()) x = static_cast<float>(random.uniform());
  return cycling_batch(std::move(input), classes);
}

/// The better of two timed steps after one that warms up.
double seconds_per_picture(const graph::Model& model, int n, Device device) {
  Network network(model.graph, Network::Kernels::own, device);
  const Batch batch = noise_batch(model, network.classes(), n);
  double best = 1e30;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    network.train_step(batch);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (i > 0) best = std::min(best, seconds);
  }
  return best / n;
}

}  // namespace

bool overridden(const std::vector<std::string>& overrides, const std::string& key) {
  return std::any_of(overrides.begin(), overrides.end(), [&](const std::string& text) { return text.starts_with(key + "="); });
}

Recipe fine_tune_recipe(const std::vector<std::string>& overrides) { return parse_recipe(kRecipe, kFineTuneName, overrides); }

void fit_recipe(Recipe& recipe, const graph::Model& model, const std::vector<std::string>& overrides) {
  const auto& spec = model.input;
  if (!has_batch_norm(model.graph) && !overridden(overrides, "lr")) recipe.lr = kRateWithoutNorm;
  if (!overridden(overrides, "augment.pad_crop")) recipe.augment.pad_crop = std::max(1, spec.height / 16);
}

EpochPlan plan_epochs(Recipe& recipe, const graph::Model& model, int64_t pictures, double minutes, const std::vector<std::string>& overrides) {
  set_torch_threads(recipe.threads);
  const int n = static_cast<int>(std::clamp<int64_t>(std::min<int64_t>(recipe.batch, pictures), 1, 32));
  EpochPlan plan;
  const Device device = choose_device(recipe.device);
  plan.head_s = seconds_per_picture(head_only(model), n, device);
  plan.full_s = seconds_per_picture(model, n, device);
  const double seconds = 60 * minutes * kStepShare;
  const bool head_given = overridden(overrides, "freeze_epochs");
  if (!head_given) recipe.freeze_epochs = kHeadEpochs;
  double kept = double(pictures);
  const int fewest_head = head_given ? recipe.freeze_epochs : 1;
  const double fewest = kept * (fewest_head * plan.head_s + kFewestEpochs * plan.full_s);
  if (fewest > seconds) {
    kept = std::max(64.0, kept * seconds / fewest);
    recipe.freeze_epochs = fewest_head;
    recipe.limit = static_cast<int64_t>(kept);
  }
  const double left = seconds - recipe.freeze_epochs * kept * plan.head_s;
  recipe.epochs = static_cast<int>(std::clamp(left / (kept * plan.full_s), double(kFewestEpochs), double(kMostEpochs)));
  plan.minutes = kept * (recipe.freeze_epochs * plan.head_s + recipe.epochs * plan.full_s) / kStepShare / 60;
  return plan;
}

}  // namespace kinglet::train
