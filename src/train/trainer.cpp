#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/cpu.h"
#include "base/error.h"
#include "train/input_bridge.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/optimizer.h"

namespace kinglet::train {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kEvalBatch = 256;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

const graph::Value& input_value(const graph::Model& model) { return model.graph.value(model.graph.inputs.at(0)); }

void check_fit(const PixelStore& store, int classes, const std::string& split) {
  const auto& info = store.dataset().info();
  if (!info.classes.empty() && static_cast<int>(info.classes.size()) != classes)
    throw Error(info.name, fmt::format("has {} classes, the model {}", info.classes.size(), classes), "give the model as many classes as the data");
  for (int64_t i = 0; i < store.size(); ++i)
    if (store.label(i) < 0 || store.label(i) >= classes)
      throw Error(fmt::format("{} {}: {}", info.name, split, store.dataset().id(i)), fmt::format("label {} is not one of {} classes", store.label(i), classes));
}

class Trainer {
 public:
  Trainer(TrainInput input, const TrainEvents& events)
      : input_(std::move(input)),
        recipe_(input_.recipe),
        events_(events),
        preprocessor_(input_.model.input, input_value(input_.model)),
        network_(input_.model.graph, Network::Kernels::own, choose_device(recipe_.device)),
        store_(input_.train, preprocessor_, recipe_.threads, events.progress, recipe_.augment.crop_area > 0 ? 0 : kMostBytesKept),
        optimizer_(recipe_, network_.parameters()),
        average_(recipe_.ema, network_.parameters()),
        steps_(steps_per_epoch(store_.size(), recipe_.batch)) {
    set_torch_threads(recipe_.threads);
    if (network_.parameters().values.empty()) throw Error(input_.model.name, "holds no trainable float parameter", "train a float model");
    check_fit(store_, network_.classes(), "train");
    if (input_.val) val_.emplace(input_.val, preprocessor_, recipe_.threads, events.progress);
    if (val_) check_fit(*val_, network_.classes(), "val");
    if (input_.teacher) make_teacher();
    state_.threads = recipe_.threads;
    state_.recipe = to_yaml(recipe_);
    state_.recipe_hash = recipe_hash(recipe_);
    if (input_.resume) restore(*input_.resume);
  }

  TrainResult run() {
    TrainResult result;
    while (state_.epoch < recipe_.epochs && !result.stopped) result.stopped = !run_epoch();
    result.epochs = static_cast<int>(state_.epoch);
    result.top1 = state_.best_top1;
    result.records = state_.records;
    double seconds = 0;
    for (const auto& record : state_.records) seconds += record.seconds;
    if (seconds > 0) result.images_per_s = double(state_.records.size()) * double(steps_ * batch_pictures()) / seconds;
    return result;
  }

 private:
  int64_t batch_pictures() const { return std::min<int64_t>(recipe_.batch, store_.size()); }

  void make_teacher() {
    teacher_.emplace(input_.teacher->graph, Network::Kernels::own, choose_device(recipe_.device));
    bridge_.emplace(input_.model.input, input_.teacher->input);
    if (teacher_->classes() != network_.classes())
      throw Error(recipe_.distill.teacher, fmt::format("teaches {} classes, the model has {}", teacher_->classes(), network_.classes()));
  }

  void restore(const TrainState& from) {
    auto same = [&](const std::vector<float>& a, const std::vector<float>& b) {
      if (a.size() != b.size()) throw Error("last.kinglet", "does not fit the recipe's model and optimizer", "resume with the recipe it was started with");
    };
    same(from.first, optimizer_.first);
    same(from.second, optimizer_.second);
    same(from.average, average_.values);
    same(from.average_statistics, average_.statistics);
    state_ = from;
    optimizer_.first = from.first;
    optimizer_.second = from.second;
    optimizer_.steps = from.optimizer_steps;
    average_.values = from.average;
    average_.statistics = from.average_statistics;
    average_.updates = from.average_updates;
  }

  /// False when stopped before its end; the state then tells where.
  bool run_epoch() {
    Loader loader(store_, preprocessor_, recipe_, network_.classes(), static_cast<uint64_t>(state_.epoch), state_.step);
    const double before = state_.epoch_seconds;
    const auto start = Clock::now();
    while (state_.step < steps_) {
      one_step(loader);
      state_.epoch_seconds = before + seconds_since(start);
      report_step();
      if (!events_.stop || !events_.stop()) continue;
      if (state_.step == steps_) finish_epoch();
      else save_last();
      return false;
    }
    finish_epoch();
    return true;
  }

  void one_step(Loader& loader) {
    Batch batch = loader.next();
    LossOptions loss;
    if (teacher_) {
      batch.teacher_logits = teacher_->logits(bridge_->convert(batch.input));
      loss = {recipe_.distill.weight, recipe_.distill.temperature};
    }
    const StepResult result = network_.train_step(batch, loss);
    if (!std::isfinite(result.loss))
      throw Error(recipe_.name, fmt::format("the loss is no longer finite in epoch {}", state_.epoch + 1), "try a smaller lr or clip_norm=1", ErrorKind::check_failed);
    optimizer_.step(network_.parameters(), learning_rate(recipe_, state_.epoch * steps_ + state_.step, steps_));
    if (average_.enabled()) average_.update(network_.parameters());
    state_.loss_sum += result.loss;
    state_.correct += result.correct;
    state_.seen += static_cast<int64_t>(batch.pictures.size());
    ++state_.step;
  }

  void report_step() {
    if (!events_.on_step) return;
    StepReport report{"", state_.epoch + 1, recipe_.epochs, state_.step, steps_, state_.loss_sum / double(state_.step), 0, 0, -1};
    const double each = state_.epoch_seconds / double(state_.step);
    report.images_per_s = double(batch_pictures()) / each;
    report.seconds_left = each * double((recipe_.epochs - state_.epoch) * steps_ - state_.step);
    for (const auto& record : state_.records)
      if (record.val_top1 >= 0) report.val_top1 = record.val_top1;
    events_.on_step(report);
  }

  void finish_epoch() {
    EpochRecord record;
    record.epoch = static_cast<int>(state_.epoch) + 1;
    record.lr = learning_rate(recipe_, state_.epoch * steps_ + steps_ - 1, steps_);
    record.loss = state_.loss_sum / double(steps_);
    record.train_top1 = 100.0 * double(state_.correct) / double(state_.seen);
    record.seconds = state_.epoch_seconds;
    record.images_per_s = double(state_.seen) / std::max(1e-9, state_.epoch_seconds);
    const bool last = record.epoch == recipe_.epochs;
    if (val_ && (last || record.epoch % recipe_.eval_every == 0)) record.val_top1 = evaluate();
    state_.records.push_back(record);
    ++state_.epoch;
    state_.step = state_.correct = state_.seen = 0;
    state_.loss_sum = state_.epoch_seconds = 0;
    keep_best(record, last);
    save_last();
    if (events_.on_epoch) events_.on_epoch(record);
  }

  void keep_best(const EpochRecord& record, bool last) {
    const bool better = record.val_top1 > state_.best_top1;
    if (!better && !(last && !val_)) return;
    state_.best_top1 = record.val_top1;
    state_.best_epoch = record.epoch;
    graph::Model best = finished_model(record.epoch);
    if (average_.enabled()) network_.parameters().store(best.graph, average_.values, average_.statistics);
    if (events_.save_best) events_.save_best(best);
  }

  /// The model as it stands, its provenance told.
  graph::Model finished_model(int epochs) {
    graph::Model model = input_.model;
    model.name = recipe_.name;
    model.sections.erase("train_state");
    const auto& parameters = network_.parameters();
    parameters.store(model.graph, parameters.values, parameters.statistics);
    const auto& info = store_.dataset().info();
    model.labels = info.classes;
    double seconds = 0;
    for (const auto& record : state_.records) seconds += record.seconds;
    Json training;
    training["data"] = info.name;
    training["split"] = info.split;
    training["n"] = store_.size();
    training["recipe"] = state_.recipe;
    training["recipe_hash"] = state_.recipe_hash;
    training["seed"] = recipe_.seed;
    training["epochs"] = epochs;
    training["epochs_planned"] = recipe_.epochs;
    training["threads"] = recipe_.threads;
    training["machine"] = cpu_name();
    training["chosen_on"] = val_ ? Json(val_->dataset().info().split) : Json("nothing: the last epoch's weights");
    if (val_) training["val_n"] = val_->size();
    if (val_ && state_.best_top1 >= 0) training["val_top1"] = state_.best_top1;
    training["averaged"] = average_.enabled();
    training["hours"] = seconds / 3600;
    training["tool"] = "kinglet " KINGLET_VERSION;
    model.provenance["training"] = training;
    Json curve = Json::array();
    for (const auto& record : state_.records) curve.push_back(record_to_json(record));
    model.provenance["curve"] = curve;
    return model;
  }

  void save_last() {
    if (!events_.save_last) return;
    state_.first = optimizer_.first;
    state_.second = optimizer_.second;
    state_.optimizer_steps = optimizer_.steps;
    state_.average = average_.values;
    state_.average_statistics = average_.statistics;
    state_.average_updates = average_.updates;
    graph::Model model = finished_model(static_cast<int>(state_.epoch));
    model.sections["train_state"] = encode_state(state_);
    events_.save_last(model);
  }

  /// Percent of val right, by the average's weights where there is one.
  double evaluate() {
    swap_average();
    ThreadPool pool(val_->kept() ? 1 : recipe_.threads);
    int64_t correct = 0;
    for (int64_t first = 0; first < val_->size(); first += kEvalBatch) correct += evaluate_batch(first, std::min(kEvalBatch, val_->size() - first), pool);
    swap_average();
    return 100.0 * double(correct) / double(val_->size());
  }

  int64_t evaluate_batch(int64_t first, int64_t n, ThreadPool& pool) {
    const auto& spec = input_.model.input;
    Tensor pictures(DType::f32, Shape{n, spec.height, spec.width, spec.channels});
    auto bytes = std::as_writable_bytes(pictures.mutable_data<float>());
    const size_t each = preprocessor_.tensor_bytes();
    pool.parallel_for(n, [&](int64_t i, int) {
      std::vector<uint8_t> scratch(val_->kept() ? 0 : val_->pixel_bytes());
      preprocessor_.map(val_->pixels(first + i, scratch), bytes.subspan(static_cast<size_t>(i) * each, each));
    });
    const Tensor logits = network_.logits(pictures);
    const size_t k = static_cast<size_t>(network_.classes());
    int64_t correct = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto row = logits.data<float>().subspan(static_cast<size_t>(i) * k, k);
      correct += std::max_element(row.begin(), row.end()) - row.begin() == val_->label(first + i);
    }
    return correct;
  }

  void swap_average() {
    if (!average_.enabled()) return;
    std::swap_ranges(average_.values.begin(), average_.values.end(), network_.parameters().values.begin());
    std::swap_ranges(average_.statistics.begin(), average_.statistics.end(), network_.parameters().statistics.begin());
  }

  TrainInput input_;
  const Recipe& recipe_;
  const TrainEvents& events_;
  data::Preprocessor preprocessor_;
  Network network_;
  PixelStore store_;
  std::optional<PixelStore> val_;
  std::optional<Network> teacher_;
  std::optional<InputBridge> bridge_;
  Optimizer optimizer_;
  MovingAverage average_;
  int64_t steps_;
  TrainState state_;
};

}  // namespace

TrainResult train(TrainInput input, const TrainEvents& events) { return Trainer(std::move(input), events).run(); }

}  // namespace kinglet::train
