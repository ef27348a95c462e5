// A Model written as a file of another format.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/model.h"

namespace kinglet::flow {

/// Formats of models, each with its own file ending: "tflite", "onnx", "pth", "safetensors", "kinglet".
const std::vector<std::string>& export_formats();

/// The format that a file name's extension asks for; "kinglet" for any other.
std::string format_of(const std::filesystem::path& path);

struct ExportedFile {
  std::filesystem::path path;
  uint64_t bytes = 0;
  std::string sha256;
  int surplus_transposes = 0;  ///< onnx: Transposes that its order of axes cost
};

/// `format` is one of export_formats(), or "sscma": a .tflite as that firmware takes it, and its labels beside it (sscma.h).
/// For tflite and onnx a float model that still holds training operators is folded first. Throws a usage Error for an unknown format.
ExportedFile export_model(const graph::Model& model, const std::string& format, const std::filesystem::path& path);

}  // namespace kinglet::flow
