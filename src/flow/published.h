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

namespace kinglet::flow {

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
  uint64_t bytes = 0;             ///< 0: not known
  std::optional<MeasuredFile> measured;

  std::string name() const;  ///< the last part of its address
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
  std::string code_licence, weights_licence, data_licence;
  std::vector<PublishedFile> files;
};

std::vector<PublishedModel> published_models();
std::optional<PublishedModel> find_published(const std::string& name);

/// The figure printed for the TFLite file (else any) of our model `ours` in that precision.
std::optional<double> published_top1(const std::vector<PublishedModel>& published, const std::string& ours, const std::string& precision);

/// Where get_published keeps a file.
std::filesystem::path published_path(const PublishedModel& model, const PublishedFile& file);

/// Downloads and verifies every file of the model that has an address and a sum; returns the paths. Files already there with
/// the right sum are kept. Throws Error (missing_dependency) when the publisher gives no address.
std::vector<std::filesystem::path> get_published(const PublishedModel& model, const ProgressCallback& progress = {});

}  // namespace kinglet::flow
