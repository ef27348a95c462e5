// TensorFlow Lite files (format version 3) <-> Model. The only folder that sees FlatBuffers.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats::tflite {

/// True if the bytes carry the format's identifier.
bool is_tflite(std::span<const std::byte> bytes);

/// Reads a model with one subgraph. Operators that ops.def lists become nodes of that kind; all others, and variants that no
/// kernel of ours runs (grouped or hybrid convolutions, other fused activations, a changed batch), become opaque nodes whose
/// `detail` says why. Dimension 0 of activations may be 1 or -1. `where` opens every message, usually the file name.
///
/// The input contract comes from our own 'kinglet.contract' buffer, else from TensorFlow Lite Metadata, else from the input's
/// quantization, else it is assumed; each field's origin says which. Labels come from the ZIP behind the flatbuffer.
/// Throws Error (bad_input) naming file and operator or tensor; never returns part of a model.
graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn = {});

/// Writes float32, int8 per-channel and legacy uint8 graphs. An explicit padding that is neither VALID nor SAME becomes a PAD
/// operator before a convolution. Labels are appended as a ZIP and the contract is written twice: as TensorFlow Lite Metadata
/// and, whole, in the buffer 'kinglet.contract'. Throws Error naming the node for what the format cannot say.
std::vector<std::byte> export_model(const graph::Model& model);

}  // namespace kinglet::formats::tflite
