// Export for the SSCMA firmware: what profiles/sscma.json asks for, or the reasons why not.
#pragma once

#include <filesystem>

#include "flow/model_files.h"
#include "graph/model.h"

namespace kinglet::flow {

/// The model with an int8 input that takes each picture byte less 128. As it is where it does already; where its contract is
/// byte / d, with a Quantize node in front that gives its own input the same number for each of the 256 bytes; else as it is.
graph::Model with_byte_input(const graph::Model& model);

/// Writes `path` (TensorFlow Lite) and, beside it, the same name with .json: name, classes, input size, the file's SHA-256.
/// Throws Error (check_failed) with what check() finds against the profile sscma.
ExportedFile export_sscma(const graph::Model& model, const std::filesystem::path& path);

}  // namespace kinglet::flow
