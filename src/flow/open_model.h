// A model argument of the command line made into a Model: any file Kinglet reads, or an architecture by its text.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::flow {

struct OpenOptions {
  std::string input_override;  ///< the --input flag: "key=value,..."; empty for none
  std::string arch;            ///< the --arch flag: zoo text for a file of tensors without a network
  uint64_t seed = 1;           ///< weights of an architecture that is built from text
  WarningCallback warn;
};

/// `text` is a .kinglet or foreign file, the name of a zoo model (its int8 file), or zoo text such as "mobilenet_v2_rep@0.35,32x32x3,10" (untrained weights).
/// Throws Error saying what was looked for.
graph::Model open_model(const std::string& text, const OpenOptions& options = {});

}  // namespace kinglet::flow
