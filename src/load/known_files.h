// contracts/: how pictures enter well-known model files, found by the file's SHA-256. Facts with their source, no files.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "graph/model.h"

namespace kinglet::load {

struct KnownFile {
  std::string name;  ///< of the file as published
  std::string title;
  Json input;                       ///< the fields of the input contract that the sources state
  std::string dataset;              ///< manifest that names its classes
  std::vector<std::string> labels;  ///< the model's own, background first where it has one
  int background_classes = 0;       ///< outputs before the first class: 1 for 1001 outputs of 1000 classes
  std::vector<std::string> sources, notes;
};

/// Looks at the contracts whose length fits before it hashes anything; nullopt for a file nobody described, or without a
/// contracts folder. Throws Error naming a damaged contract.
std::optional<KnownFile> find_known_file(std::span<const std::byte> bytes);

/// Fills the fields of the model's input contract that are known no better than from inference (they get
/// Origin::known_file), its labels where it has none, and its provenance ("known_file", "background_classes").
void apply_known_file(const KnownFile& known, graph::Model& model);

}  // namespace kinglet::load
