// A model argument made into a Model: any file Kinglet reads, a model of the zoo by its name, or an architecture by its text.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::load {

struct OpenOptions {
  std::string input_override;  ///< the --input flag: "key=value,..."; empty for none
  std::string arch;            ///< zoo text for a file of tensors without a network: the --arch flag, a recipe's model
  bool arch_is_spare = false;  ///< a file that says its own network may be opened with `arch` too, which is ignored then
  uint64_t seed = 1;           ///< weights of an architecture that is built from text
  WarningCallback warn;
};

/// The Model of a file of any format, with what contracts/ knows of it. Throws Error.
graph::Model open_file(const std::filesystem::path& path, const OpenOptions& options = {});

/// A file of the shipped model `name`, by how it ends after the name ("_int8.tflite"); nullopt when the zoo has none.
std::optional<std::filesystem::path> find_zoo_file(const std::string& name, const std::string& ending);

/// `text` is a .kinglet or foreign file, the name of a zoo model (its int8 file) or of a published one (fetched_file), or zoo text such as "mobilenet_v2_rep@0.35,32x32x3,10" (untrained weights).
/// Throws Error saying what was looked for.
graph::Model open_model(const std::string& text, const OpenOptions& options = {});

}  // namespace kinglet::load
