// Reads a card the way a careful stranger would: does every figure have its unit, its n and its conditions, do the
// figures agree with each other, and is everything named that must be? Works on card.json and on the text of README.md.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace kinglet::card {

struct Finding {
  std::string where;  ///< "card.json: rows[1].accuracy", "README.md:42"
  std::string what;
  std::string hint;   ///< what to do, may be empty
};

/// Structure and arithmetic of card.json: labels and data's classes, Top-5 >= Top-1, interval and confusion against n,
/// SHA-256 and size of each file, the three licences, latency records, FLOPs = 2 x MACs, parameters that are a count and
/// fit the file, hours with their threads, mean and deviation of seeds, weights chosen without the test split, figures that repeat over rows that cannot be equal.
std::vector<Finding> lint_json(const Json& card);

/// The text: units in table heads, FLOPs explained, estimates among measurements, Top-5 below Top-1, n stated.
std::vector<Finding> lint_readme(const std::string& text);

/// Both, and that the README prints the figures of card.json.
std::vector<Finding> lint(const Json& card, const std::string& readme);

}  // namespace kinglet::card
