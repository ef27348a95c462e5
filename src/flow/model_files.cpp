#include "flow/model_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "flow/deploy.h"
#include "flow/sscma.h"
#include "formats/onnx/onnx.h"
#include "formats/safetensors/safetensors.h"
#include "formats/tflite/tflite.h"
#include "formats/torch_pth/torch_pth.h"
#include "graph/serialize.h"

namespace kinglet::flow {

const std::vector<std::string>& export_formats() {
  static const std::vector<std::string> names{"tflite", "onnx", "pth", "safetensors", "kinglet"};
  return names;
}

std::string format_of(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  for (const auto& name : export_formats())
    if (extension == "." + name) return name;
  if (!extension.empty()) throw Error(path.string(), "has an extension of no format", "one of: ." + fmt::format("{}", fmt::join(export_formats(), " .")), ErrorKind::usage);
  return "kinglet";
}

ExportedFile export_model(const graph::Model& model, const std::string& format, const std::filesystem::path& path) {
  if (format == "sscma") return export_sscma(model, path);
  std::vector<std::byte> bytes;
  int surplus_transposes = 0;
  if (format == "tflite") bytes = formats::tflite::export_model(deployable(model));
  else if (format == "onnx") bytes = formats::onnx::export_model(deployable(model), &surplus_transposes);
  else if (format == "pth") bytes = formats::torch_pth::write_state(formats::state_of(model));
  else if (format == "safetensors") bytes = formats::safetensors::write_state(formats::state_of(model));
  else if (format == "kinglet") bytes = graph::serialize(model);
  else {
    auto known = export_formats();
    known.emplace_back("sscma");
    throw Error("--to", "'" + format + "' is no format Kinglet writes", did_you_mean(format, known), ErrorKind::usage);
  }
  write_file(path, bytes);
  return {path, bytes.size(), sha256(bytes), surplus_transposes};
}

}  // namespace kinglet::flow
