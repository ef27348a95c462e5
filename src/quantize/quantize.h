// Post-training quantization: a float Model and training pictures in, an int8 Model out, following the TensorFlow Lite
// quantization specification (activations per tensor, convolution weights symmetric per output channel, bias int32).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "data/dataset.h"
#include "graph/model.h"
#include "quantize/observer.h"

namespace kinglet::quantize {

/// Type of the model's inputs and outputs; the body is int8 in any case.
enum class Io : uint8_t { int8, uint8, float32 };
std::string_view io_name(Io io);
Io io_from_name(std::string_view name);  ///< throws a usage Error

struct Options {
  Observer observer = Observer::mse;
  double percentile = 99.99;  ///< of the observed values kept on either side, in percent; Observer::percentile only
  Io io = Io::int8;
  int calibration_n = 512;  ///< pictures; fewer when the set is smaller
  uint64_t seed = 1;
  bool per_channel_fc = false;
  bool bias_correction = true;  ///< folds each layer's mean output error into its bias (Nagel et al. 2019, section 4.2)
  int threads = 0;              ///< 0: all
};

/// One row per node that computes.
struct LayerReport {
  std::string name, op;
  double scale = 0;
  int zero_point = 0;
  double min = 0, max = 0;        ///< observed in float
  double clipped_share = 0;       ///< of float outputs that the int8 range cannot hold
  double sqnr_db = 0;             ///< float output against the int8 network's output of this node
  double bias_shift_steps = 0;    ///< largest bias correction, in steps of the output
};

struct Report {
  std::string method;  ///< "post-training"
  int calibration_n = 0;
  std::string calibration_data;
  std::vector<LayerReport> layers;
};

Json report_to_json(const Report& report);

struct Result {
  graph::Model model;
  Report report;
};

/// The int8 Model of `float_model`, which may be a training graph: it is folded first. Calibration pictures are drawn from
/// `calibration`, the same number of each class as far as there are, by (seed, picture). Provenance gets "quantize".
/// Throws Error for pictures of a test split, a graph with several inputs, or operators that have no int8 form.
Result post_training(const graph::Model& float_model, const data::Dataset& calibration, const Options& options = {},
                     const ProgressCallback& progress = {});

}  // namespace kinglet::quantize
