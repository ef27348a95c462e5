// TensorFlow Lite Metadata: what a model says of its pictures and labels in the buffer TFLITE_METADATA.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/model.h"

namespace kinglet::formats::tflite {

inline constexpr const char* kMetadataName = "TFLITE_METADATA";

struct Metadata {
  std::string name, description, author, license;
  std::optional<graph::ColorOrder> order;  ///< rgb or gray; metadata knows no BGR
  std::vector<double> mean, stddev;        ///< of bytes: real = (byte - mean) / std, one value or one a channel
  std::string label_file;                  ///< in the ZIP behind the model; empty if none is named
};

/// Throws Error opened by `where` when the bytes are no sound metadata flatbuffer.
Metadata parse_metadata(std::span<const std::byte> bytes, const std::string& where);

/// The metadata of a model whose labels (if any) are appended as `label_file`.
std::vector<std::byte> build_metadata(const graph::Model& model, const std::string& label_file);

}  // namespace kinglet::formats::tflite
