#include "load/open_model.h"

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "formats/formats.h"
#include "graph/serialize.h"
#include "load/known_files.h"
#include "load/published.h"
#include "load/state_model.h"
#include "ops/verify.h"
#include "zoo/network_file.h"
#include "zoo/zoo.h"

namespace kinglet::load {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "KINGLET1";

bool is_kinglet(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

bool is_zoo_text(const std::string& text) {
  if (zoo::is_network_path(text)) return true;
  const std::string arch = text.substr(0, text.find('@'));
  for (const auto& row : zoo::rows())
    if (row.name == arch) return true;
  return text.find('@') != std::string::npos;
}

}  // namespace

graph::Model open_file(const fs::path& path, const OpenOptions& options) {
  const auto bytes = read_file(path);
  if (is_kinglet(bytes) || path.extension() == ".kinglet") {
    graph::Model model = graph::deserialize(bytes, path.string());
    ops::verify(model.graph, path.string());
    return model;
  }
  const formats::Format* format = formats::find_format(bytes, path);
  if (!format) throw Error(path.string(), "is no model file that Kinglet knows", "it reads .kinglet, " + formats::known_extensions());
  if (format->read_state) {
    const auto state = format->read_state(bytes, path.string(), options.warn);
    return state_model(state, options.arch_is_spare && formats::has_graph(state) ? "" : options.arch);
  }
  if (!options.arch.empty() && !options.arch_is_spare) throw Error("--arch", path.string() + " says its own network", "leave --arch out", ErrorKind::usage);
  graph::Model model = format->import_model(bytes, path.string(), options.warn);
  if (const auto known = find_known_file(bytes)) apply_known_file(*known, model);
  else if (const auto published = published_at(path)) apply_published(*published, model);
  return model;
}

std::optional<fs::path> named_file(const std::string& name, bool int8) {
  const auto folder = find_resource_folder("models");
  const bool word = !name.empty() && name.find_first_of("/@") == std::string::npos;
  if (!folder || !word) return std::nullopt;
  const fs::path file = *folder / name / (name + (int8 ? "_int8.tflite" : "_float.tflite"));
  if (fs::is_regular_file(file)) return file;
  const auto published = find_published(name);
  return published ? std::optional(fetched_file(*published, int8)) : std::nullopt;
}

graph::Model open_model(const std::string& text, const OpenOptions& options) {
  graph::Model model;
  if (fs::is_regular_file(text) && !zoo::is_network_path(text)) model = open_file(text, options);
  else if (const auto file = named_file(text)) model = open_file(*file, options);
  else if (is_zoo_text(text)) model = zoo::build(text, options.seed);
  else throw Error(text, "there is no such file, no zoo model and no architecture of that name", "`kinglet zoo list` lists the models, `kinglet inspect mobilenet_v2_rep@0.35,32x32x3,10` shows an architecture");
  if (model.name.empty()) model.name = fs::path(text).stem().string();
  if (!options.input_override.empty()) graph::override_input_spec(model.input, options.input_override);
  return model;
}

}  // namespace kinglet::load
