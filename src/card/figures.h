// The words and numbers that README.md and card.html share, so that the two can never differ.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "card/card.h"

namespace kinglet::card {

using Cells = std::vector<std::string>;

struct Table {
  Cells head;
  std::vector<Cells> rows;
};

/// "74.28"; "-" for none.
std::string percent_cell(const std::optional<double>& value);
/// "1,364,288"; "-" for none.
std::string count_cell(const std::optional<int64_t>& value);
/// "0.123 ms" or "45.6 µs".
std::string time_text(double us);

struct SeedSpread {
  double mean = 0, deviation = 0;  ///< in percent and points; sample standard deviation
};
/// Over the runs whose `top1` is known; none below two.
std::optional<SeedSpread> seed_spread(const std::vector<SeedRun>& runs, std::optional<double> SeedRun::*top1);

/// Input and output of the network: type, shape, remark.
Table network_table(const CardInput& input);
/// Two columns: what, how many with unit. Lines that are not known are left out.
Table cost_table(const CardInput& input);
/// One row a backend and precision.
Table benchmark_table(const CardInput& input);
/// File, bytes, SHA-256.
Table file_table(const CardInput& input);
/// Empty when nothing was published.
Table published_table(const CardInput& input);
Table training_table(const CardInput& input);
/// One row a seed; empty for one seed alone.
Table seed_table(const CardInput& input);
/// One row a precision that was measured with two seeds or more.
Table spread_table(const CardInput& input);
Table data_table(const CardInput& input);
Table licence_table(const CardInput& input);

/// Sentences: the conditions of the figures above (n, split, machine, runs).
std::vector<std::string> conditions(const CardInput& input);
/// Which of the trainings the card's files are, and how far off the mean.
std::vector<std::string> seed_sentences(const CardInput& input);
/// The limits given, those that follow from small sets of pictures, the data set's weaknesses and the input's warnings.
std::vector<std::string> limits(const CardInput& input);
/// Throws Error when there is no such row.
const BackendRow& detail_row(const CardInput& input);
/// The report of the detail row, if it was evaluated.
const eval::EvalReport* detail(const CardInput& input);

}  // namespace kinglet::card
