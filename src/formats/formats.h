// Foreign model files by content and extension: the one door through which they come in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "formats/state_dict.h"
#include "graph/model.h"

namespace kinglet::formats {

struct Format {
  std::string_view name;       ///< "TensorFlow Lite"
  std::string_view extension;  ///< ".tflite"
  bool (*detect)(std::span<const std::byte> bytes);
  /// One of the two: files that hold a graph become a Model, others named tensors, which need an architecture.
  graph::Model (*import_model)(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn) = nullptr;
  StateDict (*read_state)(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn) = nullptr;
};

/// All formats that can be imported.
std::span<const Format> all_formats();

/// The format that recognizes the bytes, else the one with the file's extension, else nullptr.
const Format* find_format(std::span<const std::byte> bytes, const std::filesystem::path& path);

/// ".tflite, .onnx, ..." for messages.
std::string known_extensions();

/// Reads and imports a file of any known format that says its own graph. Throws Error naming the file.
graph::Model import_file(const std::filesystem::path& path, const WarningCallback& warn = {});

}  // namespace kinglet::formats
