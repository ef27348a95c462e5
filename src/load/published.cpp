#include "load/published.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "base/text.h"
#include "data/download.h"
#include "data/manifest.h"
#include "load/known_files.h"

namespace kinglet::load {

namespace fs = std::filesystem;

namespace {

/// Figures stand as the text that was printed, so that 84.0 stays 84.0.
std::optional<double> percent_at(const Json& json, const char* key, const std::string& where) {
  const auto text = json_at<std::string>(json, key, where);
  return text.empty() ? std::nullopt : std::optional(std::stod(text));
}

PublishedFile read_file(const Json& json, const std::string& where) {
  PublishedFile file;
  const auto text = [&](const char* key) { return json_at<std::string>(json, key, where); };
  file.backend = text("backend"), file.precision = text("precision");
  file.top1_percent = percent_at(json, "top1_percent", where), file.top5_percent = percent_at(json, "top5_percent", where);
  file.flops_as_printed = text("flops_as_printed"), file.params_as_printed_m = text("params_as_printed_m");
  file.size_as_printed = text("size_as_printed"), file.inference_ms = text("inference_ms");
  file.device = text("device"), file.boards = text("boards"), file.url = text("url"), file.sha1 = text("sha1");
  file.sha256 = json_at_or<std::string>(json, "sha256", where), file.sha1_of = json_at_or<std::string>(json, "sha1_of", where);
  file.fault = json_at_or<std::string>(json, "fault", where);
  file.bytes = json_at_or<uint64_t>(json, "bytes", where);
  if (json.contains("measured")) {
    const Json& m = json["measured"];
    file.measured = MeasuredFile{json_at<std::string>(m, "data", where), json_at<int64_t>(m, "n", where), json_at<int64_t>(m, "hits", where)};
  }
  return file;
}

PublishedModel read_model(const Json& json, const std::string& where) {
  PublishedModel model;
  const auto text = [&](const char* key) { return json_at<std::string>(json, key, where); };
  model.name = text("name"), model.title = text("title"), model.publisher = text("publisher"), model.data = text("data");
  model.data_as_printed = text("data_as_printed"), model.input_as_printed = text("input_as_printed");
  model.ours = text("ours"), model.not_comparable = text("not_comparable"), model.input = text("input"), model.recipe = text("recipe");
  model.in_tables = json_at_or<bool>(json, "in_tables", where, true);
  model.classes = json_at_or<std::vector<std::string>>(json, "classes", where);
  model.classes_of = json_at_or<std::string>(json, "classes_of", where), model.background_classes = json_at_or<int>(json, "background_classes", where);
  model.references = json_at<std::vector<std::string>>(json, "references", where);
  model.notes = json_at<std::vector<std::string>>(json, "notes", where);
  const Json licences = json_at<Json>(json, "licences", where);
  model.code_licence = json_at<std::string>(licences, "code", where);
  model.weights_licence = json_at<std::string>(licences, "weights", where);
  model.data_licence = json_at<std::string>(licences, "data", where);
  for (const Json& file : json_at<Json>(json, "files", where)) model.files.push_back(read_file(file, where));
  return model;
}

/// The fields that the flag text touches, as JSON of the input contract.
Json stated_fields(const std::string& text, graph::InputSpec spec) {
  graph::set_origins(spec, graph::Origin::assumed);
  graph::override_input_spec(spec, text);
  const Json all = graph::input_spec_to_json(spec);
  Json fields = Json::object();
  for (const auto& [field, origin] : spec.origins)
    if (origin == graph::Origin::flag) fields[field] = all[field];
  return fields;
}

void get_file(const PublishedModel& model, const PublishedFile& file, const ProgressCallback& progress, Fetched& fetched) {
  const fs::path path = published_path(model, file);
  if (file.sum().empty()) {
    fetched.skipped.push_back(file.name() + ": no sum of its own is published" + (file.sha1_of.empty() ? "" : ", the one that is printed is that of " + file.sha1_of));
    return;
  }
  try {
    if (!is_fetched(model, file)) data::download(std::span(&file.url, 1), path, file.sum(), file.bytes, progress);
    if (std::find(fetched.paths.begin(), fetched.paths.end(), path) == fetched.paths.end()) fetched.paths.push_back(path);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    fetched.failed.push_back(error.what());
  }
}

}  // namespace

std::string PublishedFile::name() const { return url.substr(url.rfind('/') + 1); }

std::string PublishedFile::our_backend() const {
  const auto word = lower(backend);
  return word == "pytorch" ? "PyTorch" : word == "onnx" ? "ONNX" : word == "tflite" ? "TFLite" : backend;
}

std::string PublishedFile::our_precision() const { return lower(precision).rfind("int8", 0) == 0 ? "int8" : "float32"; }

std::string PublishedFile::sum() const { return !sha256.empty() ? sha256 : sha1_of.empty() ? sha1 : ""; }

std::vector<std::string> PublishedModel::labels() const {
  std::vector<std::string> labels(static_cast<size_t>(background_classes), "background");
  for (const auto& label : classes_of.empty() ? classes : data::load_manifest(classes_of).classes) labels.push_back(label);
  return labels;
}

std::vector<PublishedModel> published_models() {
  const fs::path path = resource_folder("models") / "published.json";
  std::vector<PublishedModel> models;
  for (const Json& json : json_at<Json>(parse_json(read_text_file(path), path.string()), "models", path.string())) models.push_back(read_model(json, path.string()));
  return models;
}

std::optional<PublishedModel> find_published(const std::string& name) {
  for (auto& model : published_models())
    if (model.name == name) return std::move(model);
  return std::nullopt;
}

std::optional<double> published_top1(const std::vector<PublishedModel>& published, const std::string& ours, const std::string& precision) {
  std::optional<double> any;
  for (const auto& model : published)
    if (model.ours == ours)
      for (const auto& file : model.files)
        if (file.top1_percent && file.our_precision() == precision) {
          if (file.our_backend() == "TFLite") return file.top1_percent;
          any = any ? any : file.top1_percent;
        }
  return any;
}

fs::path published_path(const PublishedModel& model, const PublishedFile& file) { return cache_folder("models") / model.name / file.name(); }

bool is_fetched(const PublishedModel& model, const PublishedFile& file) {
  const fs::path path = published_path(model, file);
  return !file.sum().empty() && fs::is_regular_file(path) && (file.sha256.empty() ? sha1_file(path) : sha256_file(path)) == file.sum();
}

fs::path fetched_file(const PublishedModel& model, bool int8) {
  for (const bool wanted : {int8, !int8})
    for (const auto& file : model.files)
      if (file.our_backend() == "TFLite" && !file.url.empty() && file.is_int8() == wanted && fs::is_regular_file(published_path(model, file))) return published_path(model, file);
  const bool has_address = std::any_of(model.files.begin(), model.files.end(), [](const PublishedFile& f) { return !f.sum().empty() && !f.url.empty(); });
  throw Error(model.name, has_address ? "none of its TensorFlow Lite files is on this machine" : "its publisher gives no address of a file",
              has_address ? "kinglet zoo get " + model.name : "kinglet zoo show " + model.name, ErrorKind::missing_dependency);
}

std::optional<PublishedModel> published_at(const fs::path& path) {
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path();
  if (folder.parent_path().filename() != "models" || !find_resource_folder("models")) return std::nullopt;
  auto published = find_published(folder.filename().string());
  return published && folder == cache_folder("models") / published->name ? published : std::nullopt;
}

void apply_published(const PublishedModel& published, graph::Model& model) {
  KnownFile known;
  known.name = published.name, known.title = published.title, known.dataset = published.data, known.labels = published.labels();
  known.background_classes = published.background_classes, known.sources = published.references, known.input = Json::object();
  if (model.input.channels > 0 && !published.input.empty()) known.input = stated_fields(published.input, model.input);
  apply_known_file(known, model);
}

Fetched get_published(const PublishedModel& model, const ProgressCallback& progress) {
  Fetched fetched;
  for (const auto& file : model.files)
    if (!file.url.empty()) get_file(model, file, progress, fetched);
  if (fetched.paths.empty() && fetched.skipped.empty() && fetched.failed.empty())
    throw Error(model.name, "its publisher gives no address of a file", "see " + (model.references.empty() ? "models/published.json" : model.references[0]),
                ErrorKind::missing_dependency);
  return fetched;
}

}  // namespace kinglet::load
