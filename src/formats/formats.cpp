#include "formats/formats.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"
#include "formats/keras_h5/keras_h5.h"
#include "formats/onnx/onnx.h"
#include "formats/safetensors/safetensors.h"
#include "formats/tflite/tflite.h"
#include "formats/torch_pth/torch_pth.h"

namespace kinglet::formats {

namespace {

constexpr std::array kFormats{
    Format{"TensorFlow Lite", ".tflite", tflite::is_tflite, tflite::import_model},
    Format{"ONNX", ".onnx", onnx::is_onnx, onnx::import_model},
    Format{.name = "PyTorch", .extension = ".pth", .detect = torch_pth::is_torch_pth, .read_state = torch_pth::read_state},
    Format{.name = "PyTorch", .extension = ".pt", .detect = torch_pth::is_torch_pth, .read_state = torch_pth::read_state},
    Format{.name = "Keras", .extension = ".h5", .detect = keras_h5::is_hdf5, .import_model = keras_h5::import_model},
    Format{.name = "safetensors", .extension = ".safetensors", .detect = safetensors::is_safetensors, .read_state = safetensors::read_state},
};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

std::string known_extensions() {
  std::string text;
  for (const Format& format : kFormats) text += (text.empty() ? "" : ", ") + std::string(format.extension);
  return text;
}

const Format* find_format(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  for (const Format& format : kFormats)
    if (format.detect(bytes)) return &format;
  const std::string extension = lower_case(path.extension().string());
  for (const Format& format : kFormats)
    if (format.extension == extension) return &format;
  return nullptr;
}

graph::Model import_file(const std::filesystem::path& path, const WarningCallback& warn) {
  const auto bytes = read_file(path);
  const Format* format = find_format(bytes, path);
  if (!format) throw Error(path.string(), "is no model file that can be imported", "known: " + known_extensions());
  if (format->import_model) return format->import_model(bytes, path.string(), warn);
  const StateDict state = format->read_state(bytes, path.string(), warn);
  if (!has_graph(state)) throw Error(path.string(), "holds tensors and no network", "an architecture must be named for it");
  return model_from_state(state);
}

}  // namespace kinglet::formats
