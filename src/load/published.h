// What others printed of the same networks: models/published.json, all rows of the published tables with their addresses,
// sums and conditions. Facts only; the files are fetched by get_published.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::load {

/// A published file's accuracy as Kinglet measured it with the file itself.
struct MeasuredFile {
  std::string data;  ///< "cifar10:test"
  int64_t n = 0, hits = 0;
};

/// One row of a published table. Text fields are as printed there.
struct PublishedFile {
  std::string backend, precision;
  std::optional<double> top1_percent, top5_percent;
  std::string flops_as_printed, params_as_printed_m, size_as_printed, inference_ms, device, boards;
  std::string url, sha1, sha256;  ///< empty where none is known
  std::string sha1_of;            ///< the file whose sum is printed as `sha1`, where it is another one
  std::string fault;              ///< why its figure cannot be right; empty where nothing is known
  uint64_t bytes = 0;             ///< 0: not known
  std::optional<MeasuredFile> measured;

  std::string name() const;  ///< the last part of its address
  std::string sum() const;   ///< SHA-256, else SHA-1, of this very file; empty where none is published
  bool is_int8() const { return our_precision() == "int8"; }
  /// In the words of our cards: "PyTorch", "ONNX", "TFLite", or as printed; "float32" or "int8".
  std::string our_backend() const, our_precision() const;
};

struct PublishedModel {
  std::string name, title, publisher, data, data_as_printed, input_as_printed;
  std::string ours;            ///< name of our model of the same network; may not be trained yet
  std::string not_comparable;  ///< why figures cannot be set beside ours; empty when they can
  std::string input;           ///< input contract as the --input flag takes it
  bool in_tables = true;       ///< false: printed on another page of the publisher than the tables that zoo_table repeats
  std::string recipe;          ///< file name under recipes/ that trains the network; empty where `ours` has one
  std::vector<std::string> classes, references, notes;
  std::string classes_of;      ///< the data set that names the classes, in place of `classes`
  int background_classes = 0;  ///< outputs before the first class
  std::string code_licence, weights_licence, data_licence;
  std::vector<PublishedFile> files;

  std::vector<std::string> labels() const;  ///< of the outputs in order, background first where there is one
};

std::vector<PublishedModel> published_models();
std::optional<PublishedModel> find_published(const std::string& name);

/// The figure printed for the TFLite file (else any) of our model `ours` in that precision.
std::optional<double> published_top1(const std::vector<PublishedModel>& published, const std::string& ours, const std::string& precision);

/// Where get_published keeps a file.
std::filesystem::path published_path(const PublishedModel& model, const PublishedFile& file);

/// Of the TensorFlow Lite files that get_published kept the int8 one, else the float one; with `int8` false the other way round.
/// Throws Error (missing_dependency) that names `kinglet zoo get` when none is there.
std::filesystem::path fetched_file(const PublishedModel& model, bool int8 = true);
/// The published model whose fetched file this is, by its place in the cache.
std::optional<PublishedModel> published_at(const std::filesystem::path& path);

/// What the publisher states of input and labels, where the file itself says nothing better; as apply_known_file.
void apply_published(const PublishedModel& published, graph::Model& model);

struct Fetched {
  std::vector<std::filesystem::path> paths;  ///< there and verified
  std::vector<std::string> skipped;          ///< files that cannot be verified, each with its reason
  std::vector<std::string> failed;           ///< what went wrong, a sentence a file
};
/// Downloads and verifies every file of the model that has an address and a sum of its own. Files already there with the right
/// sum are kept; one that fails does not keep the others away. Throws Error (missing_dependency) when the publisher gives no address.
Fetched get_published(const PublishedModel& model, const ProgressCallback& progress = {});
/// Is the file there, with its sum?
bool is_fetched(const PublishedModel& model, const PublishedFile& file);

}  // namespace kinglet::load
