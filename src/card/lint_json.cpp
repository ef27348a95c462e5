#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/statistics.h"
#include "card/lint.h"

namespace kinglet::card {

namespace {

const Json kNothing;

/// json[key], or null: a linter reads what others wrote.
const Json& at(const Json& json, const std::string& key) {
  const auto it = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && it != json.end() ? *it : kNothing;
}

double number(const Json& json, const std::string& key, double otherwise) {
  const Json& value = at(json, key);
  return value.is_number() ? value.get<double>() : otherwise;
}

std::string text(const Json& json, const std::string& key) {
  const Json& value = at(json, key);
  return value.is_string() ? value.get<std::string>() : "";
}

class Linter {
 public:
  std::vector<Finding> run(const Json& card) {
    check_model(card);
    check_licences(at(card, "licences"));
    check_training(at(card, "training"));
    if (!at(card, "seeds").is_null()) check_seeds(card, at(card, "seeds"));
    check_published(at(card, "published"));
    const Json& rows = at(card, "rows");
    if (!rows.is_array() || rows.empty()) add("rows", "names no measured file", "list each exported file with its figures");
    for (size_t i = 0; rows.is_array() && i < rows.size(); ++i) check_row(card, rows[i], fmt::format("rows[{}]", i));
    if (rows.is_array()) check_repeats(rows);
    return std::move(findings_);
  }

 private:
  void add(const std::string& where, const std::string& what, const std::string& hint = {}) { findings_.push_back({"card.json: " + where, what, hint}); }

  void check_model(const Json& card) {
    const Json& model = at(card, "model");
    const Json &labels = at(model, "labels"), &classes = at(at(card, "data"), "classes");
    if (!labels.is_array() || labels.empty()) add("model.labels", "are missing", "name the classes in the order of the outputs");
    else if (labels != classes) add("model.labels", "are not the data set's classes in their order", "a card of another model may have been copied");
    const double params = number(model, "params", -1), macs = number(model, "macs", -1), flops = number(model, "flops", -1);
    if (params < 0) add("model.params", "is missing");
    else if (params != std::floor(params) || params < 100) add("model.params", fmt::format("{} is no count of parameters", params), "print a whole number; megabytes belong to the file's size");
    if (macs < 0) add("model.macs", "is missing");
    if (macs >= 0 && flops >= 0 && flops != 2 * macs) add("model.flops", fmt::format("{} is not 2 x {} MACs", flops, macs), "FLOPs = 2 x MACs");
  }

  void check_licences(const Json& licences) {
    for (const char* of : {"code", "weights", "data"})
      if (text(licences, of).empty()) add(std::string("licences.") + of, "is not named");
  }

  void check_training(const Json& training) {
    if (training.is_null()) return;
    if (number(training, "hours", 0) > 0 && number(training, "threads", 0) < 1) add("training.threads", "are missing", "hours say nothing without the number of threads");
    const std::string by = text(training, "weights_chosen_by");
    if (by.empty()) add("training.weights_chosen_by", "is missing", "say which pictures chose the weights, or that none did");
    if (by.find("test") != std::string::npos) add("training.weights_chosen_by", "says '" + by + "'", "a figure on the test split means nothing if that split chose the weights");
  }

  /// Mean and deviation follow from the runs, the card's own run is its rows', and the commands make the others.
  void check_seeds(const Json& card, const Json& seeds) {
    const Json& runs = at(seeds, "runs");
    if (!runs.is_array() || runs.size() < 2) return add("seeds.runs", "are fewer than two", "one seed alone has no spread");
    for (const char* precision : {"float32", "int8"}) check_spread(seeds, runs, precision);
    check_shipped_seed(card, runs[0]);
    const std::string commands = at(card, "reproduce").dump();
    for (size_t i = 1; i < runs.size(); ++i)
      if (const std::string seed = at(runs[i], "seed").dump(); commands.find("seed=" + seed) == std::string::npos) add(fmt::format("seeds.runs[{}]", i), "is trained by no command", "name the training with seed=" + seed);
  }

  void check_spread(const Json& seeds, const Json& runs, const char* precision) {
    std::vector<double> values;
    for (const Json& run : runs)
      if (at(run, precision).is_number()) values.push_back(number(run, precision, 0));
    if (values.size() < 2) return;
    const auto check = [&](const char* what, double expected) {
      if (const double said = number(at(seeds, what), precision, -1); !(std::abs(said - expected) < 0.005)) add(fmt::format("seeds.{}.{}", what, precision), fmt::format("{} does not follow from the runs", said), fmt::format("that is {:.2f}", expected));
    };
    check("mean", mean(values));
    check("deviation", sample_deviation(values));
  }

  void check_shipped_seed(const Json& card, const Json& shipped) {
    if (at(shipped, "seed") != at(at(card, "training"), "seed")) add("seeds.runs[0].seed", "is not the seed of the card's own training");
    const Json& rows = at(card, "rows");
    for (size_t i = 0; rows.is_array() && i < rows.size(); ++i) {
      const std::string precision = text(rows[i], "precision");
      const Json& top1 = at(at(rows[i], "accuracy"), "top1");
      if (text(rows[i], "backend") != "TFLite" || !at(shipped, precision).is_number() || !top1.is_number()) continue;
      if (std::abs(number(shipped, precision, 0) - top1.get<double>()) > 0.005) add("seeds.runs[0]." + precision, "is not the Top-1 of " + text(rows[i], "file"));
    }
  }

  void check_published(const Json& published) {
    for (size_t i = 0; published.is_array() && i < published.size(); ++i)
      if (text(published[i], "source").empty()) add(fmt::format("published[{}]", i), "has no source");
  }

  void check_row(const Json& card, const Json& row, const std::string& where) {
    if (text(row, "file").empty()) add(where + ".file", "is not named");
    const std::string sum = text(row, "sha256");
    const bool hex = std::all_of(sum.begin(), sum.end(), [](unsigned char c) { return std::isdigit(c) || (c >= 'a' && c <= 'f'); });
    if (sum.size() != 64 || !hex) add(where + ".sha256", "is no SHA-256 of a file");
    check_size(card, row, where);
    if (at(row, "accuracy").is_null()) add(where + ".accuracy", "was not measured", "evaluate this very file, or leave the row out");
    else check_accuracy(card, at(row, "accuracy"), where + ".accuracy");
    if (!at(row, "latency").is_null()) check_latency(card, at(row, "latency"), where + ".latency");
  }

  /// A file cannot be smaller than its weights; half of that leaves room for compression.
  void check_size(const Json& card, const Json& row, const std::string& where) {
    const double bytes = number(row, "bytes", 0), params = number(at(card, "model"), "params", 0);
    const double width = text(row, "precision") == "float32" ? 4 : 1;
    if (bytes <= 0) add(where + ".bytes", "is missing");
    else if (bytes < 0.5 * width * params) add(where + ".bytes", fmt::format("{} bytes are too few for {} parameters of {} bytes", bytes, params, width), "parameters or size are of another model");
  }

  void check_accuracy(const Json& card, const Json& a, const std::string& where) {
    const double n = number(a, "n", 0), top1 = number(a, "top1", -1);
    if (n <= 0) return add(where + ".n", "is missing", "a percentage without its n cannot be judged");
    if (top1 < 0 || top1 > 100) return add(where + ".top1", fmt::format("{} is no percentage", top1));
    if (text(a, "data").empty() || text(a, "split").empty()) add(where, "does not say which pictures were used", "name data set and split");
    check_follows(a, "top1", n, where);
    check_top5(card, a, where, top1);
    check_interval(at(a, "top1_ci95"), where, n, top1);
    check_confusion(at(a, "confusion"), where, n, top1);
  }

  /// A percentage against the pictures it was counted from.
  void check_follows(const Json& a, const std::string& rank, double n, const std::string& where) {
    const Json& hits = at(a, rank + "_hits");
    if (!hits.is_number()) return;
    if (const double percent = 100 * hits.get<double>() / n; std::abs(percent - number(a, rank, 0)) > 0.006) add(where + "." + rank, fmt::format("{} is not {} of {}", number(a, rank, 0), hits.get<double>(), n), fmt::format("that is {:.2f}", percent));
  }

  void check_top5(const Json& card, const Json& a, const std::string& where, double top1) {
    if (!at(a, "top5").is_number()) return;
    const double top5 = number(a, "top5", 0);
    if (top5 < top1) add(where + ".top5", fmt::format("{} is below Top-1 {}", top5, top1), "the columns may be swapped");
    else check_follows(a, "top5", number(a, "n", 0), where);
    if (top5 > 100) add(where + ".top5", fmt::format("{} is no percentage", top5));
    if (at(at(card, "data"), "classes").size() <= 5) add(where + ".top5", "says nothing with five classes or fewer");
  }

  void check_interval(const Json& ci, const std::string& where, double n, double top1) {
    if (!ci.is_array() || ci.size() != 2 || !ci[0].is_number() || !ci[1].is_number()) return add(where + ".top1_ci95", "is missing");
    const Interval expected = wilson95(std::llround(top1 * n / 100), std::llround(n));
    if (std::abs(ci[0].get<double>() - 100 * expected.low) > 0.02 || std::abs(ci[1].get<double>() - 100 * expected.high) > 0.02)
      add(where + ".top1_ci95", fmt::format("is not Wilson's interval of {:.2f} % of {}", top1, n), fmt::format("that is {:.2f} to {:.2f}", 100 * expected.low, 100 * expected.high));
  }

  void check_confusion(const Json& confusion, const std::string& where, double n, double top1) {
    if (!confusion.is_array()) return;
    double sum = 0, diagonal = 0;
    for (size_t r = 0; r < confusion.size(); ++r)
      for (size_t c = 0; confusion[r].is_array() && c < confusion[r].size(); ++c) {
        const double count = confusion[r][c].is_number() ? confusion[r][c].get<double>() : 0;
        sum += count;
        diagonal += r == c ? count : 0;
      }
    if (sum > n) add(where + ".confusion", fmt::format("adds up to {} pictures, not {}", sum, n));
    if (std::abs(100 * diagonal / n - top1) > 0.006) add(where + ".confusion", fmt::format("has {:.2f} % on its diagonal, but Top-1 is {:.2f}", 100 * diagonal / n, top1));
  }

  void check_latency(const Json& card, const Json& l, const std::string& where) {
    for (const char* key : {"machine", "isa"})
      if (text(l, key).empty()) add(where + "." + key, "is missing", "a time without its machine is no measurement");
    for (const char* key : {"threads", "runs"})
      if (number(l, key, 0) < 1) add(where + "." + key, "is missing");
    const double min = number(l, "min_us", -1), median = number(l, "median_us", -1), p95 = number(l, "p95_us", -1);
    if (min <= 0 || median < min || p95 < median) add(where, fmt::format("{}, {}, {} µs are no minimum, median and 95th percentile", min, median, p95));
    if (number(l, "macs", 0) != number(at(card, "model"), "macs", 0)) add(where + ".macs", "are not the model's");
    if (number(l, "peak_share", 0) > 1.05) add(where + ".peak_share", "is above the processor's peak");
  }

  /// A float and an int8 file, or two machines, do not take the same time to the last digit.
  void check_repeats(const Json& rows) {
    std::map<double, int> seen;
    for (const Json& row : rows)
      if (at(row, "latency").is_object()) ++seen[number(at(row, "latency"), "median_us", -1)];
    for (const auto& [median, times] : seen)
      if (times > 1) add("rows", fmt::format("{} rows share the same median of {} µs", times, median), "measure each file itself");
  }

  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint_json(const Json& card) {
  if (!card.is_object()) return {{"card.json", "is no JSON object", ""}};
  return Linter().run(card);
}

}  // namespace kinglet::card
