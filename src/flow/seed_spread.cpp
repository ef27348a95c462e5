#include "flow/seed_spread.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace kinglet::flow {

namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::string sentence(const std::string& precision, const std::vector<SeedFigure>& figures) {
  std::set<uint64_t> seeds;
  std::vector<double> values;
  int64_t n = 0;
  for (const auto& f : figures) {
    if (f.precision != precision) continue;
    if (!seeds.insert(f.seed).second) throw Error("--seed-run", fmt::format("seed {} stands twice in {}", f.seed, precision), "give runs of different seeds", ErrorKind::usage);
    values.push_back(f.top1_percent), n = f.n;
  }
  if (values.size() < 2) return "";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return fmt::format("Top-1 of {} over {} trainings (seeds {}), {} test pictures each: mean {:.2f} %, standard deviation {:.2f}, lowest {:.2f} %, highest {:.2f} %.", precision, values.size(),
                     fmt::join(seeds, ", "), n, mean_of(values), deviation_of(values), *low, *high);
}

}  // namespace

std::vector<std::string> spread_sentences(const std::vector<SeedFigure>& figures) {
  std::vector<std::string> sentences, done;
  for (const auto& f : figures) {
    if (std::find(done.begin(), done.end(), f.precision) != done.end()) continue;
    done.push_back(f.precision);
    if (auto text = sentence(f.precision, figures); !text.empty()) sentences.push_back(std::move(text));
  }
  return sentences;
}

}  // namespace kinglet::flow
