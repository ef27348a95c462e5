#include "flow/provenance.h"

namespace kinglet::flow {

Json first_provenance(const std::vector<graph::Model>& models, const char* key) {
  for (const auto& model : models)
    if (model.provenance.contains(key)) return model.provenance[key];
  return nullptr;
}

std::optional<card::TrainingFacts> training_facts(const Json& training) {
  if (!training.is_object()) return std::nullopt;
  card::TrainingFacts facts;
  facts.recipe = training.contains("recipe") ? "recipe.yaml" : "";
  facts.epochs = optional_at<int>(training, "epochs");
  facts.seed = optional_at<uint64_t>(training, "seed");
  facts.hours = optional_at<double>(training, "hours");
  facts.threads = optional_at<int>(training, "threads");
  facts.machine = optional_at<std::string>(training, "machine");
  const auto chosen = optional_at<std::string>(training, "chosen_on").value_or("");
  facts.weights_chosen_by = chosen == "val" ? "best top-1 on val" : chosen;
  return facts;
}

std::vector<card::CurvePoint> training_curve(const Json& curve) {
  std::vector<card::CurvePoint> points;
  auto known = [](std::optional<double> v) { return v && *v >= 0 ? v : std::nullopt; };
  if (!curve.is_array()) return points;
  for (const Json& row : curve) {
    card::CurvePoint& point = points.emplace_back();
    point.epoch = json_at<int>(row, "epoch", "provenance");
    point.train_loss = optional_at<double>(row, "loss");
    point.train_top1 = known(optional_at<double>(row, "train_top1"));
    point.val_top1 = known(optional_at<double>(row, "val_top1"));
  }
  return points;
}

bool quantized_by_training(const Json& quantized) { return optional_at<std::string>(quantized, "method") == "quantization-aware training"; }

quantize::Options quantize_options(const Json& quantized) {
  quantize::Options options;
  if (const auto name = optional_at<std::string>(quantized, "observer")) options.observer = quantize::observer_from_name(*name);
  if (const auto name = optional_at<std::string>(quantized, "io")) options.io = quantize::io_from_name(*name);
  options.percentile = optional_at<double>(quantized, "percentile").value_or(options.percentile);
  options.calibration_n = optional_at<int>(quantized, "calibration_n").value_or(options.calibration_n);
  options.seed = optional_at<uint64_t>(quantized, "seed").value_or(options.seed);
  options.per_channel_fc = optional_at<bool>(quantized, "per_channel_fc").value_or(options.per_channel_fc);
  options.bias_correction = optional_at<bool>(quantized, "bias_correction").value_or(options.bias_correction);
  return options;
}

}  // namespace kinglet::flow
