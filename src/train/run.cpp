#include "train/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "graph/serialize.h"
#include "passes/pipeline.h"
#include "quantize/fake_quantize.h"
#include "train/curves.h"
#include "train/fine_tune.h"
#include "train/start_model.h"

namespace kinglet::train {

namespace {

namespace fs = std::filesystem;

/// What a fine-tuning has measured stands in its run folder; its name is all that a resume must say.
std::string run_name(const std::vector<std::string>& overrides) {
  std::string name = kFineTuneName;
  for (const std::string& text : overrides)
    if (text.starts_with("name=")) name = text.substr(5);
  return name;
}

Recipe resolve(const RunOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  if (!options.data.empty()) overrides.push_back("data=" + options.data);
  if (!options.from.empty()) overrides.push_back("from=" + options.from);
  if (options.threads > 0) overrides.push_back("threads=" + std::to_string(options.threads));
  if (options.seed) overrides.push_back("seed=" + std::to_string(*options.seed));
  Recipe recipe = !options.recipe.empty() ? load_recipe(options.recipe, overrides)
                  : options.resume        ? load_recipe(options.runs / run_name(overrides) / "recipe.yaml", overrides)
                                          : fine_tune_recipe(overrides);
  if (recipe.threads == 0) recipe.threads = cpu_count();
  if (recipe.name.empty() || recipe.name.find('/') != std::string::npos || recipe.name[0] == '.')
    throw Error("name '" + recipe.name + "'", "cannot name a folder", "letters, digits, - and _");
  return recipe;
}

TrainState load_state(const fs::path& last, const Recipe& recipe, graph::Model& model) {
  model = graph::load(last);
  const auto section = model.sections.find("train_state");
  if (section == model.sections.end()) throw Error(last.string(), "holds no training state", "it is a finished model; train --from it");
  TrainState state = decode_state(section->second, last.string());
  if (state.recipe_hash != recipe_hash(recipe))
    throw Error(last.string(), "was made with another recipe", "resume with the recipe in " + (last.parent_path() / "recipe.yaml").string());
  return state;
}

/// Which pictures a limit keeps: a draw of its own, the same for every epoch.
std::vector<int64_t> shuffled(int64_t n, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, 0, 0, Purpose::split);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

data::DatasetPtr limited(data::DatasetPtr data, const Recipe& recipe) {
  if (recipe.limit == 0 || recipe.limit >= data->size()) return data;
  auto order = shuffled(data->size(), recipe.seed);
  order.resize(static_cast<size_t>(recipe.limit));
  std::sort(order.begin(), order.end());
  return data::subset(data, std::move(order), data->info().split);
}

/// The parts of a run, each with its own checkpoints; the names begin their files.
const std::string kHead = "head", kMain, kQat = "qat";

class RunFolder {
 public:
  explicit RunFolder(fs::path folder) : folder_(std::move(folder)) {}

  /// From here on files are written. A run that stands there and is not resumed moves aside; returns where to, else nothing.
  fs::path open(bool resume) {
    std::error_code failed;
    const fs::path aside = resume ? fs::path() : move_aside();
    fs::create_directories(folder_, failed);
    if (failed) throw Error(folder_.string(), "cannot be created: " + failed.message());
    log_.open(folder_ / "log.txt", resume ? std::ios::app : std::ios::trunc);
    if (!log_) throw Error((folder_ / "log.txt").string(), "cannot be written");
    for (const auto& line : waiting_) log_ << line << std::endl;
    return aside;
  }
  void log(const std::string& line) {
    if (log_.is_open()) log_ << line << std::endl;
    else waiting_.push_back(line);
  }
  void write_records(const std::string& phase, const std::vector<EpochRecord>& records, const std::string& title) const {
    write_file(file(phase, "metrics.csv"), metrics_csv(records));
    write_file(file(phase, "curves.svg"), curves_svg(records, title));
  }
  fs::path last(const std::string& phase) const { return file(phase, "last.kinglet"); }
  fs::path best(const std::string& phase) const { return file(phase, "best.kinglet"); }
  fs::path recipe() const { return folder_ / "recipe.yaml"; }
  fs::path int8(const std::string& name) const { return folder_ / (name + "_int8.kinglet"); }

 private:
  fs::path file(const std::string& phase, const std::string& name) const { return folder_ / (phase.empty() ? name : phase + "_" + name); }

  /// NAME becomes NAME.1, or the next number that is free.
  fs::path move_aside() const {
    bool trained = false;
    for (const auto& phase : {kHead, kMain, kQat}) trained = trained || fs::exists(last(phase)) || fs::exists(best(phase));
    if (!trained) return {};
    for (int i = 1;; ++i) {
      const fs::path free = folder_.string() + "." + std::to_string(i);
      if (fs::exists(free)) continue;
      std::error_code failed;
      fs::rename(folder_, free, failed);
      if (failed) throw Error(folder_.string(), "holds another run, which cannot be moved aside: " + failed.message(), "give another name=");
      return free;
    }
  }

  fs::path folder_;
  std::ofstream log_;
  std::vector<std::string> waiting_;  ///< lines said before the folder is open
};

void open_data(TrainInput& input) {
  const Recipe& recipe = input.recipe;
  const bool no_val = recipe.val == "none";
  input.train = limited(data::open_dataset(recipe.data, no_val ? "train+val" : "train"), recipe);
  if (!no_val) input.val = recipe.val == "default" ? data::open_dataset(recipe.data, "val") : data::open_dataset(recipe.val, "val");
  if (input.val && input.val->info().classes != input.train->info().classes)
    throw Error(recipe.val == "default" ? recipe.data : recipe.val, fmt::format("has for validation the classes {}, for training {}", fmt::join(input.val->info().classes, ", "),
                fmt::join(input.train->info().classes, ", ")), "the same names in the same order are needed");
  for (const auto* split : {&input.train, &input.val})
    if (*split && (*split)->info().split == "test") throw Error(recipe.data, "gave the test split, which training never opens");
}

std::string opening(const TrainInput& input) {
  const Recipe& r = input.recipe;
  std::string epochs = fmt::format("{} epochs of {} at a time", r.epochs, r.batch);
  if (r.freeze_epochs > 0 && r.epochs > 0) epochs = fmt::format("{} epochs of the head alone, {}", r.freeze_epochs, epochs);
  if (r.quantize == "qat") epochs += fmt::format(", {} epochs of quantization-aware training", r.qat.epochs);
  return fmt::format("{}: {} pictures of {} ({}), {}; {}, {} thread{}", r.name, input.train->size(), input.train->info().name, input.train->info().split,
                     input.val ? fmt::format("{} for validation", input.val->size()) : std::string("no validation"), epochs, r.threads, r.threads == 1 ? "" : "s");
}

std::string describe(const std::string& phase, const EpochRecord& r, int epochs) {
  const std::string val = r.val_top1 < 0 ? "" : fmt::format("  val {:.2f} %", r.val_top1);
  return fmt::format("{}epoch {}/{}  loss {:.4f}  train {:.2f} %{}  lr {:.3g}  {:.0f} pictures/s  {:.1f} s", phase.empty() ? "" : phase + " ", r.epoch, epochs,
                     r.loss, r.train_top1, val, r.lr, r.images_per_s, r.seconds);
}

double mean_rate(const std::vector<EpochRecord>& records) {
  double pictures = 0, seconds = 0;
  for (const auto& r : records) pictures += r.images_per_s * r.seconds, seconds += r.seconds;
  return seconds > 0 ? pictures / seconds : 0;
}

/// The recipe of a phase: what the trainer reads of it.
Recipe phase_recipe(Recipe recipe, const std::string& phase) {
  if (phase == kMain) return recipe;
  recipe.epochs = phase == kHead ? recipe.freeze_epochs : recipe.qat.epochs;
  if (phase == kHead && recipe.freeze_lr > 0) recipe.lr = recipe.freeze_lr;
  if (phase == kQat) recipe.lr = recipe.qat.lr > 0 ? recipe.qat.lr : recipe.lr / (recipe.optimizer == "adamw" ? 10 : 100);
  recipe.warmup_epochs = 0;
  recipe.final_lr = 0;
  recipe.freeze_epochs = 0;
  if (phase == kHead) recipe.distill.teacher.clear();
  return recipe;
}

/// A float model that teaches, folded: it only runs forward.
std::shared_ptr<const graph::Model> load_teacher(const std::string& text, const Say& say) {
  if (text.empty()) return nullptr;
  auto teacher = std::make_shared<graph::Model>(open_source(text, "", say));
  passes::fold_for_deployment(teacher->graph);
  return teacher;
}

class Run {
 public:
  Run(const RunOptions& options, TrainEvents events, Say say)
      : options_(options), events_(std::move(events)), user_(std::move(say)), recipe_(resolve(options)), folder_(options.runs / recipe_.name) {
    input_.recipe = recipe_;
  }

  RunResult go() {
    if (options_.resume) check_resumable();
    open_data(input_);
    graph::Model first;
    if (!started(kMain) && !started(kQat)) first = prepare_start();
    input_.teacher = load_teacher(recipe_.distill.teacher, [&](const std::string& line) { say(line); });
    if (options_.resume) check_recipes();
    if (const auto aside = folder_.open(options_.resume); !aside.empty()) say(fmt::format("the run that was in {} is now in {}", (options_.runs / recipe_.name).string(), aside.string()));
    if (!options_.resume) write_file(folder_.recipe(), to_yaml(recipe_));
    say(opening(input_));

    RunResult out;
    out.folder = options_.runs / recipe_.name;
    out.best = folder_.best(kMain);
    if (started(kQat) && started(kMain)) out.result = finished_part();
    if (!started(kQat)) {
      if (!started(kMain) && recipe_.freeze_epochs > 0 && recipe_.epochs > 0 && !train_head(first)) return stopped(out);
      if (recipe_.epochs == 0) graph::save(first, folder_.best(kMain));
      else out.result = train_phase(kMain, std::move(first));
      if (out.result.stopped) return stopped(out);
    }
    if (recipe_.quantize == "qat" && !train_quantized(out)) return stopped(out);
    out.threads = recipe_.threads;
    return out;
  }

 private:
  void say(const std::string& line) {
    folder_.log(line);
    user_(line);
  }

  bool started(const std::string& phase) const { return options_.resume && fs::exists(folder_.last(phase)); }

  void check_resumable() const {
    for (const auto& phase : {kHead, kMain, kQat})
      if (started(phase)) return;
    throw Error(folder_.last(kMain).string(), "does not exist, so there is nothing to resume", "start without --resume");
  }

  /// Before anything is written: every phase that has begun must be of this recipe.
  void check_recipes() const {
    graph::Model unused;
    for (const auto& phase : {kHead, kMain, kQat})
      if (started(phase)) load_state(folder_.last(phase), phase_recipe(recipe_, phase), unused);
  }

  /// What the float training gave, for a run that is resumed after it.
  TrainResult finished_part() const {
    graph::Model unused;
    const TrainState state = load_state(folder_.last(kMain), recipe_, unused);
    return {.epochs = static_cast<int>(state.epoch), .top1 = state.best_top1, .images_per_s = mean_rate(state.records), .records = state.records};
  }

  graph::Model prepare_start() {
    graph::Model model = start_model(recipe_, input_.train->info().classes, [&](const std::string& line) { say(line); });
    if (!options_.recipe.empty() || options_.resume) return model;
    fit_recipe(recipe_, model, options_.overrides);
    if (!overridden(options_.overrides, "epochs")) {
      const EpochPlan plan = plan_epochs(recipe_, model, input_.train->size(), options_.minutes, options_.overrides);
      say(fmt::format("measured {:.2f} ms a picture for the head alone, {:.2f} ms for all: about {:.1f} minutes", 1e3 * plan.head_s, 1e3 * plan.full_s, plan.minutes));
      input_.train = limited(input_.train, recipe_);
    }
    input_.recipe = recipe_;
    return model;
  }

  bool train_head(graph::Model& model) {
    if (train_phase(kHead, head_only(model)).stopped) return false;
    move_head(graph::load(folder_.best(kHead)), model);
    return true;
  }

  bool train_quantized(RunResult& out) {
    const graph::Model best = graph::load(folder_.best(kMain));
    quantize::Options calibration;
    calibration.calibration_n = recipe_.qat.calibration_n;
    calibration.seed = recipe_.seed;
    calibration.threads = recipe_.threads;
    graph::Model model;
    if (!started(kQat)) model = quantize::prepare_qat(best, *input_.train, calibration);
    const TrainResult result = train_phase(kQat, std::move(model));
    if (result.stopped) return false;
    graph::Model trained = graph::load(folder_.best(kQat));
    Json provenance = best.provenance;
    for (const char* key : {"training", "curve"}) provenance["qat"][key] = trained.provenance[key];
    graph::Model int8 = quantize::convert_qat(trained);
    provenance["quantize"] = int8.provenance["quantize"];
    provenance["prepare_qat"] = int8.provenance["prepare_qat"];
    int8.provenance = std::move(provenance);
    out.int8 = folder_.int8(recipe_.name);
    out.int8_top1 = result.top1;
    graph::save(int8, out.int8);
    return true;
  }

  TrainResult train_phase(const std::string& phase, graph::Model model) {
    TrainInput input = input_;
    input.recipe = phase_recipe(recipe_, phase);
    input.model = std::move(model);
    if (phase == kHead) input.teacher = nullptr;
    TrainState state;
    if (started(phase)) {
      state = load_state(folder_.last(phase), input.recipe, input.model);
      say(fmt::format("resuming after {}epoch {}, step {}, with the checkpoint's {} threads", phase.empty() ? "" : phase + " ", state.epoch, state.step, state.threads));
      input.recipe.threads = recipe_.threads = state.threads;
      input.resume = &state;
    }
    std::vector<EpochRecord> records = state.records;
    TrainEvents events = events_;
    events.save_last = [&](const graph::Model& last) { graph::save(last, folder_.last(phase)); };
    events.save_best = [&](const graph::Model& best) { graph::save(best, folder_.best(phase)); };
    if (events_.on_step)
      events.on_step = [&](StepReport report) {
        report.phase = phase;
        events_.on_step(report);
      };
    events.on_epoch = [&, epochs = input.recipe.epochs](const EpochRecord& record) {
      records.push_back(record);
      say(describe(phase, record, epochs));
      folder_.write_records(phase, records, recipe_.name);
    };
    return train(std::move(input), events);
  }

  RunResult stopped(RunResult out) {
    out.result.stopped = true;
    out.threads = recipe_.threads;
    folder_.log("stopped; go on with --resume");
    return out;
  }

  const RunOptions& options_;
  TrainEvents events_;
  Say user_;
  Recipe recipe_;
  RunFolder folder_;
  TrainInput input_;
};

}  // namespace

RunResult run(const RunOptions& options, TrainEvents events, const Say& say) { return Run(options, std::move(events), say).go(); }

}  // namespace kinglet::train
