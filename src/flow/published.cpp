#include "flow/published.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "base/text.h"
#include "data/download.h"

namespace kinglet::flow {

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
  file.sha256 = json_at_or<std::string>(json, "sha256", where);
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
  model.classes = json_at<std::vector<std::string>>(json, "classes", where);
  model.references = json_at<std::vector<std::string>>(json, "references", where);
  model.notes = json_at<std::vector<std::string>>(json, "notes", where);
  const Json licences = json_at<Json>(json, "licences", where);
  model.code_licence = json_at<std::string>(licences, "code", where);
  model.weights_licence = json_at<std::string>(licences, "weights", where);
  model.data_licence = json_at<std::string>(licences, "data", where);
  for (const Json& file : json_at<Json>(json, "files", where)) model.files.push_back(read_file(file, where));
  return model;
}

const std::string& sum_of(const PublishedFile& file) { return file.sha256.empty() ? file.sha1 : file.sha256; }

bool is_there(const fs::path& path, const PublishedFile& file) {
  return fs::is_regular_file(path) && (file.sha256.empty() ? sha1_file(path) : sha256_file(path)) == sum_of(file);
}

}  // namespace

std::string PublishedFile::name() const { return url.substr(url.rfind('/') + 1); }

std::string PublishedFile::our_backend() const {
  const auto word = lower(backend);
  return word == "pytorch" ? "PyTorch" : word == "onnx" ? "ONNX" : word == "tflite" ? "TFLite" : backend;
}

std::string PublishedFile::our_precision() const { return lower(precision).rfind("int8", 0) == 0 ? "int8" : "float32"; }

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

std::vector<fs::path> get_published(const PublishedModel& model, const ProgressCallback& progress) {
  std::vector<fs::path> paths;
  for (const auto& file : model.files) {
    if (file.url.empty() || sum_of(file).empty()) continue;
    const fs::path path = published_path(model, file);
    if (!is_there(path, file)) data::download(std::span(&file.url, 1), path, sum_of(file), file.bytes, progress);
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  if (paths.empty())
    throw Error(model.name, "its publisher gives no address of a file", "see " + (model.references.empty() ? "models/published.json" : model.references[0]),
                ErrorKind::missing_dependency);
  return paths;
}

}  // namespace kinglet::flow
