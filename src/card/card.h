// A model card: what a model is, what it was measured to do, how to get the same again, and where it should not be used.
// Three files from one input, README.md, card.html and card.json; the same input gives the same bytes. Only what was
// measured is printed: anything unknown is left out or stands as "-".
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "eval/accuracy.h"
#include "eval/latency.h"
#include "graph/model.h"

namespace kinglet::card {

struct Licences {
  std::string code, weights, data;  ///< SPDX names where there is one: "Apache-2.0"; data: as its publisher puts it
};

struct ModelFacts {
  std::string name;          ///< "cifar10_rep035", also the title
  std::string task = "image-classification";
  std::string architecture;  ///< in words: "MobileNetV2 Rep, width 0.35, 3 stages"
  std::string description;   ///< a sentence or two, may be empty
  graph::InputSpec input;
  std::vector<std::string> labels;
  std::optional<int64_t> params;        ///< of the deployed graph
  std::optional<int64_t> train_params;  ///< of the graph that was trained, where it differs
  std::optional<int64_t> macs;          ///< multiply-accumulates of the deployed graph for one picture
};

/// One exported file: figures come from running this very file.
struct BackendRow {
  std::string backend;    ///< "TFLite", "ONNX", "PyTorch", "Kinglet"
  std::string precision;  ///< "float32", "int8"
  std::string file;       ///< name without folder
  int64_t bytes = 0;
  std::string sha256;
  std::optional<eval::EvalReport> accuracy;
  std::optional<eval::BenchReport> latency;
  std::optional<int64_t> arena_bytes;  ///< of the portable kernels, as on a microcontroller; the same on every machine
};

struct TrainingFacts {
  std::string recipe;  ///< file name
  std::optional<int> epochs;
  std::optional<uint64_t> seed;
  std::optional<double> hours;         ///< wall clock, whatever else the machine did meanwhile
  std::optional<int> threads;
  std::optional<std::string> machine;  ///< the processor
  std::string weights_chosen_by;       ///< "last EMA, no validation split", "best top-1 on val"
  std::string parent;                  ///< the model it was made from, if any
};

/// One epoch.
struct CurvePoint {
  int epoch = 0;
  std::optional<double> train_loss, train_top1, val_top1;  ///< top-1 in percent; train_top1 on augmented pictures
};

struct DataFacts {
  data::DatasetInfo info;  ///< name, classes, licence, citation, url, weaknesses
  std::optional<int64_t> train_n, val_n, test_n;
};

/// The same recipe trained with one seed: top-1 in percent on the split that the card's files were measured with.
struct SeedRun {
  uint64_t seed = 0;
  std::optional<double> float_top1, int8_top1;
};

/// What somebody else printed of the same network.
struct PublishedFigure {
  std::string backend, precision;
  std::optional<double> top1_percent, top5_percent;
  std::string source;          ///< address
  std::string not_comparable;  ///< why the figures cannot be set beside ours; empty when they can
};

struct CardInput {
  ModelFacts model;
  Licences licences;
  std::vector<BackendRow> rows;  ///< at least one
  size_t detail_row = 0;         ///< the row whose confusion, classes and mistakes are shown
  std::optional<TrainingFacts> training;
  DataFacts data;
  std::vector<CurvePoint> curve;
  std::vector<SeedRun> seeds;  ///< with the card's own first; empty where one seed alone was trained
  Json quantization;           ///< how the int8 file was made, as quantize/ notes it in a model's provenance; null: not known
  std::vector<PublishedFigure> published;
  std::vector<std::string> reproduce;    ///< command lines, in order
  std::vector<std::string> limits;       ///< sentences beyond those that follow from the rest: what holds the figures down, what would raise them
  std::vector<std::string> proofs;       ///< sentences on what was proved on the way (folding, agreement of backends)
  std::string tool_version, date;        ///< date may be empty; the clock is never asked
};

/// README.md with the front matter of the Hugging Face hub (docs: model cards, model-index). Throws Error when detail_row
/// is none of the rows; html_text too.
std::string readme_text(const CardInput& input);
/// One page without outside parts: style, plots and figures inside, no script.
std::string html_text(const CardInput& input);
/// All of the input, keys sorted. Reports as eval's to_json functions write them.
Json card_json(const CardInput& input);

/// The inverse of card_json. Keys younger than the first cards may be missing; throws Error(where, ...) for the others.
CardInput card_from_json(const Json& card, const std::string& where);

struct CardFile {
  std::string name, text;
};
/// README.md, card.html and card.json: all that the input tells.
std::vector<CardFile> card_files(const CardInput& input);

/// Writes README.md, card.html and card.json into `folder` and returns their paths in that order. Throws what readme_text and
/// write_file throw.
std::vector<std::filesystem::path> write_card(const CardInput& input, const std::filesystem::path& folder);

}  // namespace kinglet::card
