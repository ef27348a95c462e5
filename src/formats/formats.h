// Foreign model files by content and extension: the one door through which they come in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats {

struct Format {
  std::string_view name;       ///< "TensorFlow Lite"
  std::string_view extension;  ///< ".tflite"
  bool (*detect)(std::span<const std::byte> bytes);
  graph::Model (*import_model)(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn);
};

/// All formats that can be imported.
std::span<const Format> all_formats();

/// The format that recognizes the bytes, else the one with the file's extension, else nullptr.
const Format* find_format(std::span<const std::byte> bytes, const std::filesystem::path& path);

/// Reads and imports a file of any known format. Throws Error naming the file.
graph::Model import_file(const std::filesystem::path& path, const WarningCallback& warn = {});

}  // namespace kinglet::formats
