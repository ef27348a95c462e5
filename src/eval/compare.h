// Two models on the same pictures: how often they agree, which is better, and whether that is more than chance.
#pragma once

#include <cstdint>
#include <string>
#include <optional>
#include <vector>

#include "base/json.h"
#include "eval/accuracy.h"

namespace kinglet::eval {

/// A picture that the two models put into different classes.
struct Flip {
  std::string id;
  int label = 0, a = 0, b = 0;
};

struct CompareReport {
  int64_t n = 0;
  int64_t agree = 0;                    ///< pictures that both put into the same class, right or wrong
  double a_top1 = 0, b_top1 = 0;        ///< percent
  int64_t only_a_right = 0, only_b_right = 0;
  double p_value = 1;                   ///< exact two-sided McNemar test of a_top1 against b_top1
  std::vector<Flip> flips;              ///< n - agree, in picture order
  std::vector<std::string> warnings;    ///< of both models
};

struct Contestant {
  Engine& engine;
  const graph::Model& model;
  std::optional<int> class_offset;
};

/// Each model sees the pictures through its own input contract. Errors as of evaluate().
CompareReport compare(const Contestant& a, const Contestant& b, const data::Dataset& dataset, const EvalOptions& options = {});

/// From two evaluations of the same data; throws Error when they differ in n.
CompareReport compare_reports(const EvalReport& a, const EvalReport& b, const data::Dataset& dataset);

/// n, agree (pictures), agree_percent, a_top1, b_top1 (percent), only_a_right, only_b_right, p_value,
/// flips[].{id, label, a, b}, warnings[].
Json compare_report_to_json(const CompareReport& report);
CompareReport compare_report_from_json(const Json& json, const std::string& where);

}  // namespace kinglet::eval
