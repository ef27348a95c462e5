#include "load/known_files.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "data/manifest.h"

namespace kinglet::load {

namespace fs = std::filesystem;

namespace {

KnownFile parse_known_file(const Json& json, const std::string& name, const std::string& where) {
  KnownFile known;
  known.name = name;
  known.title = json_at<std::string>(json, "title", where);
  known.input = json_at<Json>(json, "input", where);
  known.dataset = json_at<std::string>(json, "dataset", where);
  known.background_classes = json_at_or<int>(json, "background_classes", where);
  known.sources = json_at<std::vector<std::string>>(json, "sources", where);
  known.notes = json_at_or<std::vector<std::string>>(json, "notes", where);
  known.labels = json_at_or<std::vector<std::string>>(json, "labels", where);
  if (known.labels.empty()) {
    known.labels.assign(static_cast<size_t>(std::clamp(known.background_classes, 0, 1)), "background");
    for (auto& label : data::load_manifest(known.dataset).classes) known.labels.push_back(std::move(label));
  }
  return known;
}

/// The contract's entry for these bytes: a length that fits, then the hash.
std::optional<KnownFile> match(const fs::path& path, std::span<const std::byte> bytes, std::string& hash) {
  const std::string where = path.string();
  const Json json = parse_json(read_text_file(path, uint64_t{1} << 20), where);
  refuse_unknown_keys(json, {"title", "files", "input", "dataset", "labels", "background_classes", "sources", "notes"}, where);
  for (const Json& file : json_at<Json>(json, "files", where)) {
    if (json_at<uint64_t>(file, "bytes", where) != bytes.size()) continue;
    if (hash.empty()) hash = sha256(bytes);
    if (json_at<std::string>(file, "sha256", where) == hash)
      return parse_known_file(json, json_at<std::string>(file, "name", where), where);
  }
  return std::nullopt;
}

}  // namespace

std::optional<KnownFile> find_known_file(std::span<const std::byte> bytes) {
  const auto folder = find_resource_folder("contracts");
  if (!folder) return std::nullopt;
  std::string hash;
  for (const auto& entry : fs::directory_iterator(*folder))
    if (entry.path().extension() == ".json")
      if (auto known = match(entry.path(), bytes, hash)) return known;
  return std::nullopt;
}

void apply_known_file(const KnownFile& known, graph::Model& model) {
  if (model.input.channels > 0) {
    Json spec = graph::input_spec_to_json(model.input);
    const auto weak = graph::weak_fields(model.input);
    for (const auto& [field, value] : known.input.items()) {
      if (!spec.contains(field)) throw Error("contract of " + known.name, "the input contract has no field '" + field + "'");
      if (std::find(weak.begin(), weak.end(), field) == weak.end()) continue;
      spec[field] = value;
      spec["origins"][field] = graph::origin_name(graph::Origin::known_file);
    }
    model.input = graph::input_spec_from_json(spec, "contract of " + known.name);
  }
  const auto& scores = model.graph.value(model.graph.outputs.at(0)).shape;
  const bool labels_fit = scores.rank() > 0 && static_cast<int64_t>(known.labels.size()) == scores.back();
  if (model.labels.empty() && labels_fit) model.labels = known.labels;
  model.provenance["known_file"] = {{"name", known.name}, {"title", known.title}, {"dataset", known.dataset}, {"sources", known.sources}};
  if (known.background_classes > 0) model.provenance["background_classes"] = known.background_classes;
}

}  // namespace kinglet::load
