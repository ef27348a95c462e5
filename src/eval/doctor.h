// Tries the usual preprocessing mistakes on labelled pictures and names what fits best: channel order, range, resizing,
// filter, gray weights, 16-bit byte order. A better figure counts only when McNemar's test says it is no chance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/statistics.h"
#include "data/dataset.h"
#include "eval/engine.h"
#include "graph/model.h"

namespace kinglet::eval {

struct DoctorOptions {
  int64_t n = 400;  ///< pictures, drawn by the seed over the whole split; all when it has fewer
  uint64_t seed = 1;
  std::optional<int> class_offset;  ///< as in EvalOptions
  double level = 0.01;              ///< of the test, divided by the number of tries of a round (Bonferroni)
  ProgressCallback progress;
};

/// One contract tried. Hits and tests are on the same pictures as the contract it is held against.
struct DoctorTry {
  int round = 0;       ///< 0: the given contract; each later round starts from the best of the one before
  std::string factor;  ///< "order", "range", "resize", "filter", "gray_weights", "pictures"
  std::string change;  ///< "red and blue swapped"
  std::string flag;    ///< what --input takes for it; empty where the pictures themselves are at fault
  graph::InputSpec input;
  int64_t hits = 0;
  int64_t only_before_right = 0, only_try_right = 0;
  double p_value = 1;   ///< exact two-sided McNemar
  bool better = false;  ///< more hits, and p_value below level / tries of the round
};

struct DoctorReport {
  std::string data, split;
  int64_t n = 0;
  double level = 0;
  std::vector<DoctorTry> tries;   ///< the given contract first, then in the order tried
  std::vector<size_t> cures;      ///< indices of the tries taken over, one a round; empty: nothing is better for sure
  std::vector<std::string> ties;  ///< what did as well as the last cure, as far as these pictures can tell
  std::string flag;               ///< all of --input that mends it: the user's own keys and the cures' over them
  std::string verdict;            ///< a sentence or two
  std::vector<std::string> warnings;

  double top1_percent(const DoctorTry& t) const;
  Interval ci95_percent(const DoctorTry& t) const;
};

/// `given_flag` is the --input text the model was opened with. Errors as of evaluate().
DoctorReport diagnose(Engine& engine, const graph::Model& model, const data::Dataset& dataset, const std::string& given_flag,
                      const DoctorOptions& options = {});

/// n, level, verdict, flag, cures[], ties[], given{...}, tries[].{round, factor, change, flag, input, top1, top1_ci95, hits,
/// only_before_right, only_try_right, p_value, better}, data, split, warnings[].
Json doctor_report_to_json(const DoctorReport& report);

}  // namespace kinglet::eval
