// How long one picture takes on this machine. A record, not a number: machine, instruction set, threads, runs, minimum,
// median and 95th percentile stand together, and so they are printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "plan/plan.h"

namespace kinglet::eval {

struct BenchOptions {
  int warm_up = 10;     ///< runs before the first that counts
  int runs = 200;       ///< at least 1
  bool layers = false;  ///< then as many runs again with the tap on
  bool peak = true;     ///< measure the processor's peak (20 ms)
  uint64_t seed = 1;    ///< of the input's random bytes
};

struct LayerTime {
  std::string node, kernel, shape;  ///< shape of the output, "1x16x16x32"
  int64_t macs = 0;
  double median_us = 0;
};

struct BenchReport {
  std::string machine, isa, target, numerics;
  int threads = 1, runs = 0, warm_up = 0;
  double min_us = 0, median_us = 0, p95_us = 0;  ///< model alone: input tensor in, output tensor out
  int64_t macs = 0, arena_bytes = 0, constant_bytes = 0;
  std::optional<double> peak_gmacs_per_s;  ///< of one thread, measured in the same run
  std::vector<LayerTime> layers;           ///< in the plan's order; empty unless asked for

  double gmacs_per_s() const;                ///< MACs over the median
  std::optional<double> peak_share() const;  ///< gmacs_per_s over peak, 0..1; none where the peak is not known
};

/// Runs `plan` on one thread with random input. Throws a usage Error for fewer than 1 run.
BenchReport bench(const plan::Plan& plan, const BenchOptions& options = {});

/// min_us, median_us, p95_us, macs, gmacs_per_s, peak_share (fraction or null), arena_bytes, threads, isa, machine, target,
/// numerics, runs, warm_up, constant_bytes, peak_gmacs_per_s, layers[].{node, kernel, shape, macs, median_us}.
Json bench_report_to_json(const BenchReport& report);
BenchReport bench_report_from_json(const Json& json, const std::string& where);

}  // namespace kinglet::eval
