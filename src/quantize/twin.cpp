#include "quantize/twin.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/random.h"
#include "passes/pipeline.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
#include "quantize/pictures.h"

namespace kinglet::quantize {

namespace {

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

/// Sets stored class by class must not put one class first: the order is drawn anew.
void shuffle(std::vector<int64_t>& indices, uint64_t seed) {
  RandomStream random(seed, 1, 0, Purpose::calibration);
  for (size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random.below(i)]);
}

}  // namespace

Twin make_twin(const graph::Model& float_model, const data::Dataset& calibration, const Options& options, ThreadPool& pool, const ProgressCallback& progress) {
  check_options(options);
  check_split(calibration);
  Twin twin;
  twin.folded = float_model;
  passes::fold_for_deployment(twin.folded.graph);
  const Prepared prepared = prepare(twin.folded.graph, twin.folded.input);
  auto chosen = choose_calibration(calibration, options.calibration_n, options.seed);
  shuffle(chosen, options.seed);
  twin.pictures = static_cast<int64_t>(chosen.size());
  twin.batches = load_batches(twin.folded, calibration, chosen, kTwinBatch, pool);
  const Calibration scales = calibrate(twin.folded.graph, prepared, twin.batches, options.observer, options.percentile, pool, progress);
  ConvertOptions convert_options;
  convert_options.per_channel_fc = options.per_channel_fc;
  twin.int8 = convert(twin.folded.graph, scales.params, convert_options);
  return twin;
}

}  // namespace kinglet::quantize
