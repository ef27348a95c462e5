#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "ops/verify.h"
#include "quantize/convert.h"
#include "quantize/lockstep.h"
#include "quantize/twin.h"

namespace kinglet::quantize {

namespace {

constexpr std::array<std::string_view, 3> kIoNames{"int8", "uint8", "float32"};
constexpr int kLockstepPictures = 128;

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
  const size_t n = std::max<size_t>(1, static_cast<size_t>(pictures) / kTwinBatch);
  return std::span(batches).first(std::min(n, batches.size()));
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
  ThreadPool pool(options.threads);
  Twin twin = make_twin(float_model, calibration, options, pool, progress);
  const int walked = lockstep_pictures(twin.folded.graph, kLockstepPictures);
  Result result{twin.folded, {}};
  result.report.layers = walk(twin.folded.graph, twin.int8, some(twin.batches, walked), {options.bias_correction}, pool, progress);
  result.model.graph = std::move(twin.int8);
  add_borders(result.model.graph, options.io);
  result.model.graph.remove_unused();
  ops::verify(result.model.graph, "quantized model");

  result.report.method = "post-training";
  result.report.calibration_n = static_cast<int>(twin.pictures);
  result.report.calibration_data = calibration.info().name + ":" + calibration.info().split;
  result.model.provenance["quantize"] = options_to_json(options, calibration, static_cast<size_t>(twin.pictures));
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
