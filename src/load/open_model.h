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

/// The file that a model's name stands for: the int8 one, or with `int8` false the float one; of a published model the one that
/// was fetched (fetched_file). nullopt when the zoo knows no such name.
std::optional<std::filesystem::path> named_file(const std::string& name, bool int8 = true);

/// `text` is a .kinglet or foreign file, the name of a zoo model, shipped or published (named_file), or zoo text such as "mobilenet_v2_rep@0.35,32x32x3,10" (untrained weights).
/// Throws Error saying what was looked for.
graph::Model open_model(const std::string& text, const OpenOptions& options = {});

}  // namespace kinglet::load
