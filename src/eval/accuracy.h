// Accuracy of a model on labelled pictures: top-1 and top-5 with intervals, confusion, classes, the worst mistakes.
// Percentages are 0..100, here and in JSON; scores that tie rank by the lower index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/statistics.h"
#include "data/dataset.h"
#include "eval/engine.h"
#include "graph/model.h"

namespace kinglet::eval {

struct EvalOptions {
  /// Output index of class 0: 1 for models whose output 0 is "background" (1001 outputs for 1000 classes). Without one it is
  /// 1 where the outputs are one more than the classes, unless the model's labels say otherwise.
  std::optional<int> class_offset;
  int mistakes = 10;          ///< how many of the most confident mistakes to keep
  int64_t limit = 0;          ///< only the first pictures; 0 for all
  bool keep_outputs = false;  ///< keep every output's bytes (EvalReport::outputs)
  ProgressCallback progress;  ///< called from the calling thread
};

struct ClassFigures {
  std::string name;
  int64_t n = 0;          ///< pictures of the class
  int64_t predicted = 0;  ///< pictures that were given this class
  int64_t hits = 0;
  std::optional<double> recall_percent() const;     ///< none when the class has no picture
  std::optional<double> precision_percent() const;  ///< none when the class was never given
};

struct Mistake {
  std::string id;
  int label = 0;
  int predicted = 0;  ///< -1: an output before class_offset
  double score = 0;   ///< the predicted class's output as a real number
  int64_t picture = -1;  ///< its number in the data set; not in JSON
};

struct EvalReport {
  std::string data, split, engine;
  int64_t n = 0, top1_hits = 0, top5_hits = 0;
  std::vector<std::string> classes;             ///< names in label order
  std::vector<int64_t> class_n;                 ///< pictures of each class
  std::vector<std::vector<int64_t>> confusion;  ///< [label][predicted]; outputs before class_offset are counted in no column
  double images_per_s = 0;                      ///< decoding and preprocessing included
  int threads = 0;
  std::vector<Mistake> mistakes;                ///< highest score first
  std::vector<std::string> warnings;            ///< what makes the figures doubtful, each a sentence

  std::vector<int> predictions;    ///< one a picture; not in JSON
  std::vector<std::byte> outputs;  ///< all outputs in picture order when asked for; not in JSON

  double top1_percent() const;
  Interval top1_ci95_percent() const;
  bool gives_index = false;  ///< the network ends in ARG_MAX: there is no second class
  std::optional<double> top5_percent() const;  ///< none up to five classes and for an index, where it says nothing
  std::vector<ClassFigures> class_figures() const;
};

/// Runs every picture of `dataset` through the model's input contract and `engine`, engine.workers() at a time.
/// The classes are read from the first output; their count must be the data set's plus the offset. Throws Error when it
/// is not, when the model has more than one input, for a label outside the classes, or for an output that is not a number.
EvalReport evaluate(Engine& engine, const graph::Model& model, const data::Dataset& dataset, const EvalOptions& options = {});

/// Sentences on contract fields known from nothing better than inference, and on labels that differ from the data's.
/// `resampled`: some pictures have another size than the input.
std::vector<std::string> contract_warnings(const graph::Model& model, const data::DatasetInfo& info, int class_offset, bool resampled = true);

/// n, top1 (percent), top1_ci95 [low, high] (percent), top5 (percent or null), confusion, images_per_s, threads, engine,
/// data, split, classes[].{name, n, recall, precision} (percent or null), mistakes[].{id, label, predicted, score}, warnings[].
Json eval_report_to_json(const EvalReport& report);
/// The inverse, without predictions and outputs. Throws Error(where, ...) on missing keys or a confusion that is not square.
EvalReport eval_report_from_json(const Json& json, const std::string& where);

}  // namespace kinglet::eval
