// Where a file's input contract and labels come from, strongest first: our own buffer, TensorFlow Lite Metadata, the
// input's quantization, assumption. Every field's origin says which.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats::tflite {

class File;

inline constexpr const char* kContractName = "kinglet.contract";

/// Fills name, input, labels and provenance of a model whose graph is read already.
void read_contract(const File& file, graph::Model& model, const WarningCallback& warn);

/// The text of our own buffer: name, input contract and provenance (or, where that is long, its SHA-256).
std::string contract_text(const graph::Model& model);

/// From shape and quantization alone: x/255, raw bytes, x/127.5 - 1 and ImageNet's mean and deviation are recognized by the
/// range of real values that the integers cover (within 2 %); a float input is assumed to take x/255.
graph::InputSpec infer_input_spec(const graph::Value& input);

}  // namespace kinglet::formats::tflite
