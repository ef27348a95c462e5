#include "quantize/quantize.h"

#include <fmt/format.h>

#include <array>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "ops/verify.h"
#include "passes/pipeline.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
#include "quantize/lockstep.h"
#include "quantize/pictures.h"

namespace kinglet::quantize {

namespace {

constexpr std::array<std::string_view, 3> kIoNames{"int8", "uint8", "float32"};
constexpr int kBatch = 8;             ///< pictures a reference run takes at once
constexpr int kLockstepPictures = 128;

void check_options(const Options& options) {
  if (options.calibration_n < 1) throw Error("calibration_n", fmt::format("{} pictures cannot calibrate", options.calibration_n), "give 1 or more", ErrorKind::usage);
  if (!(options.percentile > 50.0 && options.percentile <= 100.0))
    throw Error("percentile", fmt::format("{} is out of range", options.percentile), "give more than 50 and at most 100", ErrorKind::usage);
}

/// Training never sees the test split, and choosing scales is training.
void check_split(const data::Dataset& dataset) {
  if (dataset.size() == 0) throw Error("calibration", "the data set has no pictures");
  if (dataset.info().split == "test")
    throw Error("calibration", fmt::format("'{}' is a test split, which must not choose scales", dataset.info().name), fmt::format("use {}:train", dataset.info().name), ErrorKind::usage);
}

Json options_to_json(const Options& options, const data::Dataset& dataset, size_t n) {
  Json json{{"method", "post-training"}, {"observer", observer_name(options.observer)}};
  if (options.observer == Observer::percentile) json["percentile"] = options.percentile;
  json["io"] = io_name(options.io);
  json["calibration_n"] = n;
  json["calibration_data"] = dataset.info().name + ":" + dataset.info().split;
  json["seed"] = options.seed;
  json["per_channel_fc"] = options.per_channel_fc;
  json["bias_correction"] = options.bias_correction;
  return json;
}

/// The first batches, up to as many pictures as can be walked at once.
std::span<const Tensor> some(const std::vector<Tensor>& batches, int pictures) {
  const size_t n = std::max<size_t>(1, static_cast<size_t>(pictures) / kBatch);
  return std::span(batches).first(std::min(n, batches.size()));
}

/// Every k-th batch in front, so that the first of them are spread over the whole set.
std::vector<Tensor> spread(std::vector<Tensor> batches, size_t front) {
  if (batches.size() <= front) return batches;
  std::vector<Tensor> result;
  std::vector<bool> taken(batches.size(), false);
  for (size_t i = 0; i < front; ++i) taken[i * batches.size() / front] = true;
  for (const bool wanted : {true, false})
    for (size_t i = 0; i < batches.size(); ++i)
      if (taken[i] == wanted) result.push_back(batches[i]);
  return result;
}

}  // namespace

std::string_view io_name(Io io) { return kIoNames[static_cast<size_t>(io)]; }

Io io_from_name(std::string_view name) {
  for (size_t i = 0; i < kIoNames.size(); ++i)
    if (kIoNames[i] == name) return static_cast<Io>(i);
  const std::vector<std::string> known(kIoNames.begin(), kIoNames.end());
  throw Error("io", "'" + std::string(name) + "' is not known", did_you_mean(name, known), ErrorKind::usage);
}

Result post_training(const graph::Model& float_model, const data::Dataset& calibration, const Options& options, const ProgressCallback& progress) {
  check_options(options);
  check_split(calibration);
  graph::Model folded = float_model;
  passes::fold_for_deployment(folded.graph);
  const Prepared prepared = prepare(folded.graph, folded.input);

  ThreadPool pool(options.threads);
  const auto chosen = choose_calibration(calibration, options.calibration_n, options.seed);
  const int walked = lockstep_pictures(folded.graph, kLockstepPictures);
  const auto batches = spread(load_batches(folded, calibration, chosen, kBatch, pool), static_cast<size_t>(std::max(1, walked / kBatch)));
  const Calibration scales = calibrate(folded.graph, prepared, batches, options.observer, options.percentile, pool, progress);

  Result result{folded, {}};
  ConvertOptions convert_options;
  convert_options.per_channel_fc = options.per_channel_fc;
  result.model.graph = convert(folded.graph, scales.params, convert_options);
  result.report.layers = walk(folded.graph, result.model.graph, some(batches, walked), {options.bias_correction}, pool, progress);
  add_borders(result.model.graph, options.io);
  result.model.graph.remove_unused();
  ops::verify(result.model.graph, "quantized model");

  result.report.method = "post-training";
  result.report.calibration_n = static_cast<int>(chosen.size());
  result.report.calibration_data = calibration.info().name + ":" + calibration.info().split;
  result.model.provenance["quantize"] = options_to_json(options, calibration, chosen.size());
  return result;
}

Json report_to_json(const Report& report) {
  Json layers = Json::array();
  for (const LayerReport& row : report.layers)
    layers.push_back({{"name", row.name}, {"op", row.op}, {"scale", row.scale}, {"zero_point", row.zero_point}, {"min", row.min}, {"max", row.max},
                      {"clipped_share", row.clipped_share}, {"sqnr_db", row.sqnr_db}, {"bias_shift_steps", row.bias_shift_steps}});
  return {{"method", report.method}, {"calibration_n", report.calibration_n}, {"calibration_data", report.calibration_data}, {"layers", layers}};
}

}  // namespace kinglet::quantize
