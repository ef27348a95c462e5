// The models that Kinglet ships, models/NAME/, as their cards and files tell of them. Nothing is measured here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/statistics.h"
#include "load/published.h"

namespace kinglet::flow {

/// One exported file and what its card says was measured with it.
struct ZooFile {
  std::string backend, precision, file, sha256;
  std::string machine;  ///< that median_us was measured on, with kernels and threads
  int64_t bytes = 0, n = 0, hits = 0;  ///< n pictures of the test split, hits right at the first rank
  std::optional<double> top5_percent, median_us;
  int64_t arena_bytes = 0;
  double top1_percent() const { return n ? 100.0 * static_cast<double>(hits) / static_cast<double>(n) : 0; }
  Interval ci95_percent() const;  ///< Wilson
};

struct ZooModel {
  std::string name, dataset;
  std::filesystem::path folder;
  Json card;
  int64_t params = 0, macs = 0;
  std::vector<ZooFile> files;

  /// The file of a backend ("TFLite", "ONNX", "PyTorch") and precision ("float32", "int8"); nullptr when there is none.
  const ZooFile* find(const std::string& backend, const std::string& precision) const;
  /// That file's path; throws Error naming the model when there is none.
  std::filesystem::path path(const std::string& backend, const std::string& precision) const;
};

/// All folders of models/ that hold a card.json, by name. Throws Error naming the card that is damaged.
std::vector<ZooModel> zoo_models();
/// Throws a usage Error with a suggestion from all that the zoo knows, shipped or published.
ZooModel zoo_model(const std::string& name);
bool is_zoo_model(const std::string& name);

/// May the published figures be set beside the model's? Empty where nobody has printed any, else "measured", "not comparable:
/// WHY", or what is wrong with a printed figure.
std::string comparison(const ZooModel& model, const std::vector<load::PublishedModel>& published);

/// The fields of CLI.md: name, dataset, n, float_top1, int8_top1, published_*_top1 (null where nobody has printed any), params,
/// macs, int8_bytes, arena_bytes, and latency_us, latency_machine, seeds (the card's, null where one seed alone was trained),
/// not_comparable (the reason, null where figures may be set side by side) and published_fault (null where no printed figure is
/// known to be wrong).
Json zoo_model_to_json(const ZooModel& model, const std::vector<load::PublishedModel>& published);

}  // namespace kinglet::flow
