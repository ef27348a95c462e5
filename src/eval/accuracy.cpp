#include "eval/accuracy.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/thread_pool.h"
#include "data/preprocess.h"

namespace kinglet::eval {

namespace {

/// What one picture gave: kept by index, so threads cannot change a figure.
struct Outcome {
  int label = 0, predicted = 0, rank = 0;  ///< rank of the true class, 0 being first
  float score = 0;
};

int rank_of(std::span<const float> scores, int index) {
  int rank = 0;
  for (int i = 0; i < static_cast<int>(scores.size()); ++i) rank += scores[i] > scores[index] || (scores[i] == scores[index] && i < index);
  return rank;
}

Outcome judge(std::span<const float> scores, int label, int class_offset) {
  const int best = static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  return {label, best - class_offset, rank_of(scores, label + class_offset), scores[best]};
}

bool names_background(const std::string& label) {
  std::string text;
  for (char c : label) text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "background" || text == "dummy" || text == "none" || text == "???";
}

/// Classes that the first output tells apart; an index tells as many as there are labels, or classes in the data.
int output_count(const Engine& engine, const graph::Model& model, const data::DatasetInfo& info, int offset) {
  const auto& value = engine.outputs()[0];
  if (!is_class_index(value)) return static_cast<int>(value.shape.elements());
  return static_cast<int>(model.labels.empty() ? info.classes.size() + static_cast<size_t>(offset) : model.labels.size());
}

/// The offset asked for; else 1 where one output is left over and nothing says that it is not "background".
int find_offset(const Engine& engine, const graph::Model& model, const data::DatasetInfo& info, const EvalOptions& options) {
  if (options.class_offset || engine.outputs().empty()) return options.class_offset.value_or(0);
  const bool one_more = !info.classes.empty() && output_count(engine, model, info, 0) == static_cast<int>(info.classes.size()) + 1;
  return one_more && (model.labels.empty() || names_background(model.labels[0])) ? 1 : 0;
}

int class_count(const Engine& engine, const graph::Model& model, const data::DatasetInfo& info, int offset) {
  if (engine.inputs().size() != 1 || engine.outputs().empty())
    throw Error(model.name, "has " + std::to_string(engine.inputs().size()) + " inputs", "a classifier of pictures has one");
  const int outputs = output_count(engine, model, info, offset);
  const auto classes = static_cast<int>(info.classes.size());
  if (offset < 0 || offset >= outputs)
    throw Error(model.name, "class offset " + std::to_string(offset) + " is outside its " + std::to_string(outputs) + " outputs", "", ErrorKind::usage);
  if (classes != 0 && classes + offset != outputs)
    throw Error(model.name, "has " + std::to_string(outputs) + " outputs, but " + info.name + " has " + std::to_string(classes) + " classes",
                outputs == classes + 1 ? "if its output 0 stands for background, use a class offset of 1" : "evaluate it on the data it was made for");
  return outputs - offset;
}

/// Decodes, preprocesses, runs and judges pictures; one buffer set a worker.
class PictureRunner {
 public:
  PictureRunner(Engine& engine, const graph::Model& model, const data::Dataset& dataset, int class_offset, int classes)
      : engine_(engine), dataset_(dataset), class_offset_(class_offset), classes_(classes), preprocess_(model.input, engine.inputs()[0]),
        name_(model.name), buffers_(static_cast<size_t>(engine.workers())) {
    if (preprocess_.tensor_bytes() != engine.input_bytes())
      throw Error(name_, "its input contract says " + graph::describe(model.input) + ", its input is " + engine.inputs()[0].shape.batch_str(),
                  "state the input's size and colours");
    for (auto& buffer : buffers_) {
      buffer.input.resize(engine.input_bytes());
      buffer.output.resize(engine.output_bytes());
      buffer.scores.resize(static_cast<size_t>(classes + class_offset));
    }
  }

  Outcome run(int64_t index, int worker, std::span<std::byte> kept) {
    Buffers& buffer = buffers_[static_cast<size_t>(worker)];
    const int label = dataset_.label(index);
    if (label < 0 || label >= classes_)
      throw Error(dataset_.id(index), "has label " + std::to_string(label) + ", but there are " + std::to_string(classes_) + " classes");
    const auto image = dataset_.image(index);
    if (image.height != preprocess_.spec().height || image.width != preprocess_.spec().width) resampled_ = true;
    preprocess_.run(image, buffer.input);
    engine_.run(buffer.input, buffer.output, worker);
    std::copy_n(buffer.output.begin(), kept.size(), kept.begin());
    read_scores(engine_.outputs()[0], buffer.output, buffer.scores);
    for (float score : buffer.scores)
      if (std::isnan(score)) throw Error(name_, "gives an output that is not a number for " + dataset_.id(index));
    return judge(buffer.scores, label, class_offset_);
  }

  /// Some picture seen had another size than the input.
  bool resampled() const { return resampled_; }

 private:
  std::atomic<bool> resampled_ = false;
  struct Buffers {
    std::vector<std::byte> input, output;
    std::vector<float> scores;
  };
  Engine& engine_;
  const data::Dataset& dataset_;
  int class_offset_, classes_;
  data::Preprocessor preprocess_;
  std::string name_;
  std::vector<Buffers> buffers_;
};

/// In slices, so that progress is told from the calling thread.
std::vector<Outcome> run_all(PictureRunner& runner, Engine& engine, int64_t n, const EvalOptions& options, std::vector<std::byte>& outputs) {
  std::vector<Outcome> outcomes(static_cast<size_t>(n));
  if (options.keep_outputs) outputs.resize(static_cast<size_t>(n) * engine.output_bytes());
  const size_t kept = options.keep_outputs ? engine.output_bytes() : 0;
  const int64_t slice = std::max<int64_t>(64, n / 50);
  ThreadPool pool(engine.workers());
  for (int64_t start = 0; start < n; start += slice) {
    const int64_t count = std::min(slice, n - start);
    pool.parallel_for(count, [&](int64_t i, int worker) {
      const auto index = static_cast<size_t>(start + i);
      outcomes[index] = runner.run(start + i, worker, std::span(outputs).subspan(index * kept, kept));
    });
    if (options.progress) options.progress({"evaluate", start + count, n, "pictures"});
  }
  return outcomes;
}

void tally(EvalReport& report, const std::vector<Outcome>& outcomes, int classes) {
  const auto k = static_cast<size_t>(classes);
  report.confusion.assign(k, std::vector<int64_t>(k, 0));
  report.class_n.assign(k, 0);
  for (const Outcome& o : outcomes) {
    ++report.class_n[static_cast<size_t>(o.label)];
    report.top1_hits += o.rank == 0;
    report.top5_hits += o.rank < 5;
    if (o.predicted >= 0) ++report.confusion[static_cast<size_t>(o.label)][static_cast<size_t>(o.predicted)];
    report.predictions.push_back(o.predicted);
  }
}

std::vector<Mistake> worst_mistakes(const std::vector<Outcome>& outcomes, const data::Dataset& dataset, int count) {
  std::vector<int64_t> wrong;
  for (size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i].rank != 0) wrong.push_back(static_cast<int64_t>(i));
  std::stable_sort(wrong.begin(), wrong.end(), [&](int64_t a, int64_t b) { return outcomes[static_cast<size_t>(a)].score > outcomes[static_cast<size_t>(b)].score; });
  wrong.resize(std::min(wrong.size(), static_cast<size_t>(std::max(count, 0))));
  std::vector<Mistake> mistakes;
  for (int64_t i : wrong) {
    const Outcome& o = outcomes[static_cast<size_t>(i)];
    mistakes.push_back({dataset.id(i), o.label, o.predicted, o.score, i});
  }
  return mistakes;
}

std::vector<std::string> class_names(const graph::Model& model, const data::DatasetInfo& info, int classes, int offset) {
  if (!info.classes.empty()) return info.classes;
  if (model.labels.size() == static_cast<size_t>(classes + offset)) return {model.labels.begin() + offset, model.labels.end()};
  std::vector<std::string> names;
  for (int i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

EvalReport evaluate(Engine& engine, const graph::Model& model, const data::Dataset& dataset, const EvalOptions& options) {
  const data::DatasetInfo& info = dataset.info();
  const int offset = find_offset(engine, model, info, options), classes = class_count(engine, model, info, offset);
  EvalReport report;
  report.gives_index = is_class_index(engine.outputs()[0]);
  report.data = info.name;
  report.split = info.split;
  report.engine = engine.name();
  report.threads = engine.workers();
  report.n = options.limit > 0 ? std::min(options.limit, dataset.size()) : dataset.size();
  if (report.n == 0) throw Error(info.name, "has no pictures in split " + info.split);
  report.classes = class_names(model, info, classes, offset);

  PictureRunner runner(engine, model, dataset, offset, classes);
  const auto start = std::chrono::steady_clock::now();
  const auto outcomes = run_all(runner, engine, report.n, options, report.outputs);
  report.images_per_s = static_cast<double>(report.n) / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.warnings = contract_warnings(model, info, offset, runner.resampled());
  tally(report, outcomes, classes);
  report.mistakes = worst_mistakes(outcomes, dataset, options.mistakes);
  return report;
}

}  // namespace kinglet::eval
