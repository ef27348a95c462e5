#include "train/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "graph/serialize.h"
#include "train/curves.h"
#include "train/start_model.h"

namespace kinglet::train {

namespace {

namespace fs = std::filesystem;
using Say = std::function<void(const std::string&)>;

constexpr const char* kFineTune = "epochs: 10\nlr: 0.01\nweight_decay: 1e-4\nema: 0.999\nlabel_smoothing: 0.05\n";

Recipe resolve(const RunOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  if (!options.data.empty()) overrides.push_back("data=" + options.data);
  if (!options.from.empty()) overrides.push_back("from=" + options.from);
  if (options.threads > 0) overrides.push_back("threads=" + std::to_string(options.threads));
  if (options.seed) overrides.push_back("seed=" + std::to_string(*options.seed));
  Recipe recipe = options.recipe.empty() ? parse_recipe(kFineTune, "finetune", overrides) : load_recipe(options.recipe, overrides);
  if (recipe.threads == 0) recipe.threads = cpu_count();
  if (recipe.name.empty() || recipe.name.find('/') != std::string::npos || recipe.name[0] == '.')
    throw Error("name '" + recipe.name + "'", "cannot name a folder", "letters, digits, - and _");
  return recipe;
}

TrainState load_state(const fs::path& last, const Recipe& recipe, graph::Model& model) {
  if (!fs::exists(last)) throw Error(last.string(), "does not exist, so there is nothing to resume", "start without --resume");
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

class RunFolder {
 public:
  RunFolder(fs::path folder, bool resume) : folder_(std::move(folder)) {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    if (failed) throw Error(folder_.string(), "cannot be created: " + failed.message());
    log_.open(folder_ / "log.txt", resume ? std::ios::app : std::ios::trunc);
    if (!log_) throw Error((folder_ / "log.txt").string(), "cannot be written");
  }
  void log(const std::string& line) { log_ << line << std::endl; }
  void write_records(const std::vector<EpochRecord>& records, const std::string& title) const {
    write_file(folder_ / "metrics.csv", metrics_csv(records));
    write_file(folder_ / "curves.svg", curves_svg(records, title));
  }
  fs::path last() const { return folder_ / "last.kinglet"; }
  fs::path best() const { return folder_ / "best.kinglet"; }
  fs::path recipe() const { return folder_ / "recipe.yaml"; }

 private:
  fs::path folder_;
  std::ofstream log_;
};

void open_data(TrainInput& input) {
  const Recipe& recipe = input.recipe;
  const bool no_val = recipe.val == "none";
  input.train = limited(data::open_dataset(recipe.data, no_val ? "train+val" : "train"), recipe);
  if (!no_val) input.val = recipe.val == "default" ? data::open_dataset(recipe.data, "val") : data::open_dataset(recipe.val, "val");
  for (const auto* split : {&input.train, &input.val})
    if (*split && (*split)->info().split == "test") throw Error(recipe.data, "gave the test split, which training never opens");
}

std::string opening(const TrainInput& input) {
  return fmt::format("{}: {} pictures of {} ({}), {}; {} epochs of {} at a time, {} thread{}", input.recipe.name, input.train->size(),
                     input.train->info().name, input.train->info().split,
                     input.val ? fmt::format("{} for validation", input.val->size()) : std::string("no validation"), input.recipe.epochs,
                     input.recipe.batch, input.recipe.threads, input.recipe.threads == 1 ? "" : "s");
}

std::string describe(const EpochRecord& r, int epochs) {
  const std::string val = r.val_top1 < 0 ? "" : fmt::format("  val {:.2f} %", r.val_top1);
  return fmt::format("epoch {}/{}  loss {:.4f}  train {:.2f} %{}  lr {:.3g}  {:.0f} pictures/s  {:.1f} s", r.epoch, epochs, r.loss, r.train_top1, val, r.lr,
                     r.images_per_s, r.seconds);
}

}  // namespace

RunResult run(const RunOptions& options, TrainEvents events, const Say& say) {
  TrainInput input;
  input.recipe = resolve(options);
  const fs::path path = options.runs / input.recipe.name;
  TrainState state;
  std::vector<std::string> notes;
  if (options.resume) {
    state = load_state(path / "last.kinglet", input.recipe, input.model);
    notes.push_back(fmt::format("resuming after epoch {}, step {}, with the checkpoint's {} threads", state.epoch, state.step, state.threads));
    input.recipe.threads = state.threads;
    input.resume = &state;
  }
  open_data(input);
  if (!options.resume) input.model = start_model(input.recipe, static_cast<int>(input.train->info().classes.size()));
  if (!input.recipe.distill.teacher.empty()) input.teacher = std::make_shared<graph::Model>(graph::load(input.recipe.distill.teacher));

  RunFolder folder(path, options.resume);
  write_file(folder.recipe(), to_yaml(input.recipe));
  notes.push_back(opening(input));
  for (const auto& note : notes) {
    folder.log(note);
    say(note);
  }
  const Recipe recipe = input.recipe;
  std::vector<EpochRecord> records = state.records;
  events.save_last = [&](const graph::Model& model) { graph::save(model, folder.last()); };
  events.save_best = [&](const graph::Model& model) { graph::save(model, folder.best()); };
  events.on_epoch = [&](const EpochRecord& record) {
    records.push_back(record);
    const std::string line = describe(record, recipe.epochs);
    folder.log(line);
    say(line);
    folder.write_records(records, recipe.name);
  };
  RunResult out;
  out.folder = path;
  out.best = folder.best();
  out.threads = recipe.threads;
  out.result = train(std::move(input), events);
  if (out.result.stopped) folder.log("stopped; go on with --resume");
  return out;
}

}  // namespace kinglet::train
