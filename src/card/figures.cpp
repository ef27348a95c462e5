#include "card/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/statistics.h"
#include "base/text.h"
#include "card/svg.h"

namespace kinglet::card {

namespace {

void add(Table& table, const std::string& what, const std::string& value) {
  if (!value.empty() && value != "-") table.rows.push_back({what, value});
}

std::string interval_cell(const eval::EvalReport& report) {
  const Interval ci = report.top1_ci95_percent();
  return fmt::format("{:.2f}–{:.2f}", ci.low, ci.high);
}

/// Three significant digits: these networks take from microseconds to seconds.
std::string milliseconds(double us) { return us >= 1e5 ? fmt::format("{:.0f}", us / 1000) : fmt::format("{:.3g}", us / 1000); }

std::string latency_cell(const std::optional<eval::BenchReport>& latency) {
  return latency ? fmt::format("{} / {} / {}", milliseconds(latency->min_us), milliseconds(latency->median_us), milliseconds(latency->p95_us)) : "-";
}

std::string machine_sentence(const eval::BenchReport& r) {
  return fmt::format("Inference time of one picture, model alone: {}, {} kernels, {} thread{}, {} runs after {} to warm up.", r.machine, r.isa, r.threads,
                     r.threads == 1 ? "" : "s", r.runs, r.warm_up);
}

void add_once(std::vector<std::string>& sentences, const std::string& sentence) {
  if (!sentence.empty() && std::find(sentences.begin(), sentences.end(), sentence) == sentences.end()) sentences.push_back(sentence);
}

/// The files whose evaluation gave this warning, "a.tflite, b.tflite".
std::string files_with(const CardInput& input, const std::string& warning) {
  std::string files;
  for (const auto& row : input.rows)
    if (row.accuracy && std::find(row.accuracy->warnings.begin(), row.accuracy->warnings.end(), warning) != row.accuracy->warnings.end())
      files += (files.empty() ? "" : ", ") + row.file;
  return files;
}

/// "1.08 h on 1 thread of Some Processor (wall clock, ...)", as far as it is known.
std::string training_time(const TrainingFacts& t) {
  std::string text = *t.hours < 0.1 ? fmt::format("{} min", short_number(60 * *t.hours, 1)) : fmt::format("{} h", short_number(*t.hours, 2));
  if (t.threads) text += fmt::format(" on {} thread{}{}", *t.threads, *t.threads == 1 ? "" : "s", t.machine ? " of " + *t.machine : "");
  return text + " (wall clock; other work on the machine lengthens it)";
}

/// "int8 lies 0.42 points above it"; empty where there is no mean.
std::string distance(const CardInput& input, const char* precision, std::optional<double> SeedRun::*top1) {
  const auto spread = seed_spread(input.seeds, top1);
  const auto& shipped = input.seeds.front().*top1;
  if (!spread || !shipped) return "";
  return fmt::format("{} lies {:.2f} points {} it", precision, std::abs(*shipped - spread->mean), *shipped < spread->mean ? "below" : "above");
}

/// Fewer than this many training pictures are called few.
constexpr int64_t kFewTrainingPictures = 10000;
/// A wider interval, in points, is called wide: it is that of 10,000 test pictures at the worst.
constexpr double kWideInterval = 2;

std::string few_training_pictures(const CardInput& input) {
  const auto n = input.data.train_n;
  if (!n || *n >= kFewTrainingPictures) return "";
  return fmt::format("Few training pictures: n = {}, where the card calls fewer than {} few; more of them would be the first thing to try for a higher figure.", count_cell(n), count_cell(kFewTrainingPictures));
}

std::string few_test_pictures(const CardInput& input) {
  const auto* report = detail(input);
  if (!report) return "";
  const Interval ci = report->top1_ci95_percent();
  if (ci.high - ci.low <= kWideInterval) return "";
  return fmt::format("Few test pictures: n = {} leaves a 95 % interval of {:.1f} points, where the card calls more than {:.0f} wide; a smaller difference to another model shows nothing.", count_cell(report->n),
                     ci.high - ci.low, kWideInterval);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace

std::string percent_cell(const std::optional<double>& value) { return value ? fmt::format("{:.2f}", *value) : "-"; }

std::string count_cell(const std::optional<int64_t>& value) { return value ? group_digits(*value) : "-"; }

std::string time_text(double us) { return us >= 1000 ? short_number(us / 1000, 2) + " ms" : short_number(us, 1) + " µs"; }

const BackendRow& detail_row(const CardInput& input) {
  if (input.detail_row >= input.rows.size()) throw Error(input.model.name, "has no measured file to make a card of", "export and evaluate the model first");
  return input.rows[input.detail_row];
}

const eval::EvalReport* detail(const CardInput& input) {
  const auto& accuracy = detail_row(input).accuracy;
  return accuracy ? &*accuracy : nullptr;
}

Table network_table(const CardInput& input) {
  const auto& in = input.model.input;
  return {{"", "Type", "Batch", "Shape", "Remark"},
          {{"Input", "image", "1", fmt::format("{} x {} x {}", in.height, in.width, in.channels), graph::describe(in)},
           {"Output", "classification", "1", std::to_string(input.model.labels.size()), fmt::format("one score a class, {} classes", input.model.labels.size())}}};
}

Table cost_table(const CardInput& input) {
  const auto& m = input.model;
  Table table{{"Cost", "Value"}, {}};
  add(table, "Parameters, deployed graph", count_cell(m.params));
  if (m.train_params != m.params) add(table, "Parameters, training graph", count_cell(m.train_params));
  if (m.macs) {
    add(table, "MACs (multiply-accumulates) of one picture", count_cell(m.macs));
    add(table, "FLOPs of one picture (2 x MACs)", count_cell(2 * *m.macs));
  }
  for (const auto& row : input.rows)
    add(table, fmt::format("Arena of {} {} (activations, portable kernels, bytes)", row.backend, row.precision), count_cell(row.arena_bytes));
  return table;
}

Table benchmark_table(const CardInput& input) {
  Table table{{"Backend", "Precision", "Top-1 (%)", "95 % interval (%)", "Top-5 (%)", "n", "Inference (ms, min / median / p95)", "Size (bytes)", "File"}, {}};
  for (const auto& row : input.rows) {
    const auto& a = row.accuracy;
    table.rows.push_back({row.backend, row.precision, a ? percent_cell(a->top1_percent()) : "-", a ? interval_cell(*a) : "-",
                          a ? percent_cell(a->top5_percent()) : "-", a ? count_cell(a->n) : "-", latency_cell(row.latency), count_cell(row.bytes), row.file});
  }
  return table;
}

Table file_table(const CardInput& input) {
  Table table{{"File", "Bytes", "SHA-256"}, {}};
  for (const auto& row : input.rows) table.rows.push_back({row.file, count_cell(row.bytes), or_dash(row.sha256)});
  return table;
}

Table published_table(const CardInput& input) {
  Table table{{"Backend", "Precision", "Top-1 (%)", "Top-5 (%)", "Comparable", "Source"}, {}};
  for (const auto& p : input.published)
    table.rows.push_back({p.backend, p.precision, percent_cell(p.top1_percent), percent_cell(p.top5_percent),
                          p.not_comparable.empty() ? "yes" : "no: " + p.not_comparable, or_dash(p.source)});
  return table;
}

Table training_table(const CardInput& input) {
  Table table{{"Training", "Value"}, {}};
  if (!input.training) return table;
  const auto& t = *input.training;
  add(table, "Recipe", t.recipe);
  add(table, "Made from", t.parent);
  if (t.epochs) add(table, "Epochs", std::to_string(*t.epochs));
  if (t.seed) add(table, "Seed", std::to_string(*t.seed));
  if (t.hours) add(table, "Time", training_time(t));
  add(table, "Weights chosen by", t.weights_chosen_by);
  return table;
}

std::optional<SeedSpread> seed_spread(const std::vector<SeedRun>& runs, std::optional<double> SeedRun::*top1) {
  std::vector<double> values;
  for (const auto& run : runs)
    if (run.*top1) values.push_back(*(run.*top1));
  if (values.size() < 2) return std::nullopt;
  return SeedSpread{mean(values), sample_deviation(values)};
}

Table seed_table(const CardInput& input) {
  Table table{{"Seed", "Top-1, float32 (%)", "Top-1, int8 (%)"}, {}};
  if (input.seeds.empty()) return table;
  for (const auto& run : input.seeds) table.rows.push_back({std::to_string(run.seed), percent_cell(run.float_top1), percent_cell(run.int8_top1)});
  return table;
}

Table spread_table(const CardInput& input) {
  Table table{{"Precision", "Mean Top-1 (%)", "Standard deviation (points)"}, {}};
  const auto line = [&](const char* precision, std::optional<double> SeedRun::*top1) {
    if (const auto spread = seed_spread(input.seeds, top1)) table.rows.push_back({precision, percent_cell(spread->mean), percent_cell(spread->deviation)});
  };
  line("float32", &SeedRun::float_top1);
  line("int8", &SeedRun::int8_top1);
  return table;
}

std::vector<std::string> seed_sentences(const CardInput& input) {
  std::vector<std::string> sentences;
  if (input.seeds.empty()) return sentences;
  const std::string in_float = distance(input, "float32", &SeedRun::float_top1), in_int8 = distance(input, "int8", &SeedRun::int8_top1);
  const std::string off = in_float + (in_float.empty() || in_int8.empty() ? "" : ", ") + in_int8;
  sentences.push_back(fmt::format("The files of this card are those of seed {}, not of the mean{}.", input.seeds.front().seed, off.empty() ? "" : ": " + off));
  add_once(sentences, fmt::format("The same recipe with {} seeds, each measured on all {} pictures of the split '{}'; sample standard deviation.", input.seeds.size(), count_cell(input.data.test_n), input.data.info.split));
  return sentences;
}

Table data_table(const CardInput& input) {
  const auto& d = input.data;
  Table table{{"Data", "Value"}, {}};
  add(table, "Data set", d.info.name);
  add(table, "Training pictures", count_cell(d.train_n));
  add(table, "Validation pictures", count_cell(d.val_n));
  add(table, d.info.split == "test" ? "Test pictures" : fmt::format("Pictures measured, split {}", d.info.split), count_cell(d.test_n));
  add(table, "Address", d.info.url);
  add(table, "Citation", d.info.citation);
  return table;
}

Table licence_table(const CardInput& input) {
  const auto& l = input.licences;
  return {{"Part", "Licence"}, {{"Code", or_dash(l.code)}, {"Weights", or_dash(l.weights)}, {"Data", or_dash(l.data)}}};
}

std::vector<std::string> conditions(const CardInput& input) {
  std::vector<std::string> sentences;
  for (const auto& row : input.rows)
    if (row.accuracy)
      add_once(sentences, fmt::format("Accuracy: {} pictures of the split '{}' of {}, each measured from the exported file; the interval is Wilson's at 95 %.",
                                      count_cell(row.accuracy->n), row.accuracy->split, row.accuracy->data));
  for (const auto& row : input.rows)
    if (row.latency) add_once(sentences, machine_sentence(*row.latency));
  if (input.model.macs) add_once(sentences, "MACs and parameters are counted on the deployed graph; FLOPs = 2 x MACs.");
  return sentences;
}

std::vector<std::string> limits(const CardInput& input) {
  std::vector<std::string> sentences;
  for (const auto& limit : input.limits) add_once(sentences, limit);
  add_once(sentences, few_training_pictures(input));
  add_once(sentences, few_test_pictures(input));
  for (const auto& note : input.data.info.notes) add_once(sentences, note);
  for (const auto& row : input.rows)
    if (row.accuracy)
      for (const auto& warning : row.accuracy->warnings) add_once(sentences, files_with(input, warning) + ": " + warning + ".");
  return sentences;
}

}  // namespace kinglet::card
