#include "eval/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"
#include "eval/accuracy.h"
#include "eval/doctor_tries.h"

namespace kinglet::eval {

namespace {

constexpr size_t kKeptBytes = size_t{512} << 20;
constexpr int kMaxRounds = 3;

/// The drawn pictures, decoded once as far as memory allows, and perhaps mended.
class Sample final : public data::Dataset {
 public:
  Sample(const data::Dataset& all, const DoctorOptions& options) : all_(all), info_(all.info()) {
    const int64_t n = std::min(options.n > 0 ? options.n : all.size(), all.size());
    std::set<int64_t> chosen;
    RandomStream random(options.seed, 0, 0, Purpose::draw);
    while (static_cast<int64_t>(chosen.size()) < n)
      chosen.insert(n == all.size() ? static_cast<int64_t>(chosen.size())
                                    : static_cast<int64_t>(random.below(static_cast<uint64_t>(all.size()))));
    indices_.assign(chosen.begin(), chosen.end());
    size_t bytes = 0;
    for (int64_t index : indices_) {
      if (bytes > kKeptBytes) break;
      kept_.push_back(all.image(index));
      bytes += kept_.back().pixels.size();
    }
  }
  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  int label(int64_t index) const override { return all_.label(indices_.at(static_cast<size_t>(index))); }
  data::Image image(int64_t index) const override {
    const auto i = static_cast<size_t>(index);
    data::Image image = i < kept_.size() ? kept_[i] : all_.image(indices_.at(i));
    for (const auto& mend : mends_) image = mend(image);
    return image;
  }
  std::string id(int64_t index) const override { return all_.id(indices_.at(static_cast<size_t>(index))); }
  const data::DatasetInfo& info() const override { return info_; }

  void push(const std::function<data::Image(const data::Image&)>& mend) { mends_.push_back(mend); }
  void pop() { mends_.pop_back(); }

 private:
  const data::Dataset& all_;
  data::DatasetInfo info_;
  std::vector<int64_t> indices_;
  std::vector<data::Image> kept_;
  std::vector<std::function<data::Image(const data::Image&)>> mends_;
};

bool has_color(const data::Image& image) {
  if (image.channels != 3) return false;
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3)
    if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2]) return true;
  return false;
}

PictureFacts facts_of(const Sample& sample, const graph::InputSpec& spec) {
  PictureFacts facts;
  facts.rgb565 = sample.size() > 0;
  for (int64_t i = 0; i < sample.size(); ++i) {
    const auto image = sample.image(i);
    facts.resampled = facts.resampled || image.height != spec.height || image.width != spec.width;
    facts.shape_differs = facts.shape_differs || int64_t{image.height} * spec.width != int64_t{image.width} * spec.height;
    facts.colored = facts.colored || has_color(image);
    facts.rgb565 = facts.rgb565 && fits_rgb565(image);
  }
  return facts;
}

/// Right or wrong, picture by picture.
using Answers = std::vector<bool>;

class Trial {
 public:
  Trial(Engine& engine, const graph::Model& model, Sample& sample, const DoctorOptions& options)
      : engine_(engine), model_(model), sample_(sample) {
    eval_.class_offset = options.class_offset;
    eval_.mistakes = 0;
  }
  Answers run(const graph::InputSpec& input) {
    model_.input = input;
    const auto report = evaluate(engine_, model_, sample_, eval_);
    warnings_ = report.warnings;
    Answers answers;
    for (size_t i = 0; i < report.predictions.size(); ++i)
      answers.push_back(report.predictions[i] == sample_.label(static_cast<int64_t>(i)));
    return answers;
  }
  /// Of the last run.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Engine& engine_;
  graph::Model model_;
  Sample& sample_;
  EvalOptions eval_;
  std::vector<std::string> warnings_;
};

int64_t count_hits(const Answers& answers) { return std::count(answers.begin(), answers.end(), true); }

struct Discordant {
  int64_t only_a = 0, only_b = 0;
  double p() const { return mcnemar_p(only_a, only_b); }
};

Discordant discordant(const Answers& a, const Answers& b) {
  Discordant d;
  for (size_t i = 0; i < a.size(); ++i) d.only_a += a[i] && !b[i], d.only_b += b[i] && !a[i];
  return d;
}

/// Later keys win; the order of first mention stays.
std::string merge_flags(const std::vector<std::string>& flags) {
  std::vector<std::string> order;
  std::map<std::string, std::string> values;
  for (const auto& flag : flags)
    for (size_t at = 0; at < flag.size();) {
      const size_t end = std::min(flag.find(',', at), flag.size()), equals = flag.find('=', at);
      const std::string key = flag.substr(at, equals - at);
      if (!values.contains(key)) order.push_back(key);
      values[key] = flag.substr(equals + 1, end - equals - 1);
      at = end + 1;
    }
  std::string text;
  for (const auto& key : order) text += (text.empty() ? "" : ",") + key + "=" + values[key];
  return text;
}

std::string percent(const DoctorReport& r, const DoctorTry& t) {
  const auto ci = r.ci95_percent(t);
  return fmt::format("{:.1f} % [{:.1f}, {:.1f}]", r.top1_percent(t), ci.low, ci.high);
}

std::string verdict_of(const DoctorReport& r) {
  const auto& given = r.tries.front();
  if (r.cures.empty()) {
    const auto best = std::max_element(r.tries.begin(), r.tries.end(), [](const auto& a, const auto& b) { return a.hits < b.hits; });
    std::string text = fmt::format("Nothing tried is better for sure than the given contract: {} on {} pictures.", percent(r, given), r.n);
    if (best != r.tries.begin())
      text += fmt::format(" The highest was {} with {}, which may be chance (McNemar p = {:.2g}, {} tries).", best->change,
                          percent(r, *best), best->p_value, r.tries.size() - 1);
    return text;
  }
  std::vector<std::string> changes;
  for (size_t cure : r.cures) changes.push_back(r.tries[cure].change);
  const auto& last = r.tries[r.cures.back()];
  std::string text = fmt::format("{}: {} where the given contract reaches {}, on the same {} pictures (McNemar p = {:.2g}",
                                 fmt::join(changes, ", then "), percent(r, last), percent(r, given), r.n, r.tries[r.cures.front()].p_value);
  text += fmt::format(", {} tries).", r.tries.size() - 1);
  if (last.factor == "pictures")
    text += " The pictures were written with the two bytes of each 16-bit pixel swapped: swap them where they are saved.";
  return text;
}

/// Tries all alternatives to `input`; takes the best over when it is better for sure.
bool run_round(int round, Trial& trial, Sample& sample, graph::InputSpec& input, Answers& before, DoctorReport& report,
               const PictureFacts& facts, const DoctorOptions& options) {
  const auto list = alternatives(input, facts);
  const size_t first = report.tries.size();
  std::vector<Answers> answers;
  for (const auto& a : list) {
    DoctorTry t{round, a.factor, a.change, a.flag, input};
    if (!a.flag.empty()) graph::override_input_spec(t.input, a.flag);
    if (a.mend) sample.push(a.mend);
    answers.push_back(trial.run(t.input));
    if (a.mend) sample.pop();
    t.hits = count_hits(answers.back());
    const auto d = discordant(before, answers.back());
    t.only_before_right = d.only_a, t.only_try_right = d.only_b, t.p_value = d.p();
    t.better = d.only_b > d.only_a && t.p_value < options.level / static_cast<double>(list.size());
    report.tries.push_back(std::move(t));
    if (options.progress)
      options.progress(
          {fmt::format("doctor, round {}", round), static_cast<int64_t>(answers.size()), static_cast<int64_t>(list.size()), "contracts"});
  }
  size_t best = list.size();
  for (size_t i = 0; i < list.size(); ++i)
    if (report.tries[first + i].better && (best == list.size() || report.tries[first + i].hits > report.tries[first + best].hits)) best = i;
  if (best == list.size()) return false;
  report.ties.clear();
  for (size_t i = 0; i < list.size(); ++i)
    if (i != best && report.tries[first + i].better && discordant(answers[best], answers[i]).p() >= 0.05)
      report.ties.push_back(list[i].change);
  report.cures.push_back(first + best);
  input = report.tries[first + best].input;
  if (list[best].mend) sample.push(list[best].mend);
  before = std::move(answers[best]);
  return true;
}

}  // namespace

double DoctorReport::top1_percent(const DoctorTry& t) const {
  return n > 0 ? 100.0 * static_cast<double>(t.hits) / static_cast<double>(n) : 0.0;
}

Interval DoctorReport::ci95_percent(const DoctorTry& t) const {
  const auto ci = wilson95(t.hits, n);
  return {100 * ci.low, 100 * ci.high};
}

DoctorReport diagnose(Engine& engine, const graph::Model& model, const data::Dataset& dataset, const std::string& given_flag,
                      const DoctorOptions& options) {
  Sample sample(dataset, options);
  Trial trial(engine, model, sample, options);
  DoctorReport report;
  report.data = dataset.info().name, report.split = dataset.info().split;
  report.n = sample.size();
  report.level = options.level;
  auto facts = facts_of(sample, model.input);
  auto input = model.input;
  auto before = trial.run(input);
  report.warnings = trial.warnings();
  report.tries.push_back({0, "given", "the given contract", given_flag, input, count_hits(before)});
  for (int round = 1; round <= kMaxRounds; ++round)
    if (!run_round(round, trial, sample, input, before, report, facts, options))
      break;
    else if (report.tries[report.cures.back()].factor == "pictures")
      facts.rgb565 = false;
  std::vector<std::string> flags{given_flag};
  for (size_t cure : report.cures) flags.push_back(report.tries[cure].flag);
  if (!report.cures.empty()) report.flag = merge_flags(flags);
  report.verdict = verdict_of(report);
  return report;
}

Json doctor_report_to_json(const DoctorReport& report) {
  auto try_json = [&](const DoctorTry& t) {
    const auto ci = report.ci95_percent(t);
    return Json{{"round", t.round},
                {"factor", t.factor},
                {"change", t.change},
                {"flag", t.flag},
                {"input", graph::input_spec_to_json(t.input)},
                {"top1", report.top1_percent(t)},
                {"top1_ci95", {ci.low, ci.high}},
                {"hits", t.hits},
                {"only_before_right", t.only_before_right},
                {"only_try_right", t.only_try_right},
                {"p_value", t.p_value},
                {"better", t.better}};
  };
  Json json{{"n", report.n}, {"level", report.level}, {"verdict", report.verdict}, {"flag", report.flag}};
  json["cures"] = Json::array();
  for (size_t cure : report.cures) json["cures"].push_back(try_json(report.tries[cure]));
  json["ties"] = report.ties;
  json["given"] = try_json(report.tries.front());
  json["tries"] = Json::array();
  for (size_t i = 1; i < report.tries.size(); ++i) json["tries"].push_back(try_json(report.tries[i]));
  json["data"] = report.data;
  json["split"] = report.split;
  json["warnings"] = report.warnings;
  return json;
}

}  // namespace kinglet::eval
