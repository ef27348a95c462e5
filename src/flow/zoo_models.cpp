#include "flow/zoo_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

ZooFile read_row(const Json& row, const std::string& where) {
  ZooFile file;
  file.backend = json_at<std::string>(row, "backend", where);
  file.precision = json_at<std::string>(row, "precision", where);
  file.file = json_at<std::string>(row, "file", where);
  file.sha256 = json_at<std::string>(row, "sha256", where);
  file.bytes = json_at<int64_t>(row, "bytes", where);
  if (const Json& accuracy = row.value("accuracy", Json()); accuracy.is_object()) {
    file.n = json_at<int64_t>(accuracy, "n", where);
    file.hits = json_at<int64_t>(accuracy, "top1_hits", where);
    if (accuracy.contains("top5") && accuracy["top5"].is_number()) file.top5_percent = accuracy["top5"].get<double>();
  }
  if (const Json& latency = row.value("latency", Json()); latency.is_object()) {
    file.median_us = json_at<double>(latency, "median_us", where);
    const auto threads = json_at<int64_t>(latency, "threads", where);
    file.machine = fmt::format("{}, {}, {} thread{}", json_at<std::string>(latency, "machine", where), json_at<std::string>(latency, "isa", where), threads, threads == 1 ? "" : "s");
  }
  file.arena_bytes = json_at_or<int64_t>(row, "arena_bytes", where);
  return file;
}

ZooModel read_model(const fs::path& folder) {
  const fs::path path = folder / "card.json";
  const std::string where = path.string();
  ZooModel model;
  model.folder = folder;
  model.card = parse_json(read_text_file(path), where);
  const Json facts = json_at<Json>(model.card, "model", where);
  model.name = json_at<std::string>(facts, "name", where);
  if (model.name != folder.filename().string()) throw Error(where, "is the card of '" + model.name + "', not of its folder's name");
  model.params = json_at<int64_t>(facts, "params", where);
  model.macs = json_at<int64_t>(facts, "macs", where);
  model.dataset = json_at<std::string>(json_at<Json>(model.card, "data", where), "name", where);
  for (const Json& row : json_at<Json>(model.card, "rows", where)) model.files.push_back(read_row(row, where));
  return model;
}

Json top1_or_null(const ZooFile* file) { return file && file->n ? Json(file->top1_percent()) : Json(nullptr); }

/// Of the published models of this network, the first text that one of them has.
template <class Text>
std::string of_published(const ZooModel& model, const std::vector<load::PublishedModel>& published, Text text_of) {
  for (const auto& other : published)
    if (other.ours == model.name)
      if (auto text = text_of(other); !text.empty()) return text;
  return "";
}

std::string reason(const ZooModel& model, const std::vector<load::PublishedModel>& published) {
  return of_published(model, published, [](const load::PublishedModel& other) { return other.not_comparable; });
}

std::string fault(const ZooModel& model, const std::vector<load::PublishedModel>& published) {
  return of_published(model, published, [](const load::PublishedModel& other) {
    for (const auto& file : other.files)
      if (!file.fault.empty()) return fmt::format("{} as published is {}", file.our_precision(), file.fault);
    return std::string();
  });
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json number_or_null(const std::optional<double>& figure) { return figure ? Json(*figure) : Json(nullptr); }

}  // namespace

Interval ZooFile::ci95_percent() const {
  const auto ci = wilson95(hits, n);
  return {100 * ci.low, 100 * ci.high};
}

const ZooFile* ZooModel::find(const std::string& backend, const std::string& precision) const {
  for (const auto& file : files)
    if (file.backend == backend && file.precision == precision) return &file;
  return nullptr;
}

fs::path ZooModel::path(const std::string& backend, const std::string& precision) const {
  const ZooFile* file = find(backend, precision);
  if (!file) throw Error(name, "has no " + backend + " file in " + precision);
  return folder / file->file;
}

std::vector<ZooModel> zoo_models() {
  std::vector<ZooModel> models;
  for (const auto& entry : fs::directory_iterator(resource_folder("models")))
    if (fs::is_regular_file(entry.path() / "card.json")) models.push_back(read_model(entry.path()));
  std::sort(models.begin(), models.end(), [](const ZooModel& a, const ZooModel& b) { return a.name < b.name; });
  return models;
}

bool is_zoo_model(const std::string& name) {
  const auto folder = find_resource_folder("models");
  return folder && !name.empty() && name.find('/') == std::string::npos && fs::is_regular_file(*folder / name / "card.json");
}

ZooModel zoo_model(const std::string& name) {
  if (is_zoo_model(name)) return read_model(resource_folder("models") / name);
  std::vector<std::string> names;
  for (const auto& model : zoo_models()) names.push_back(model.name);
  for (const auto& model : load::published_models()) names.push_back(model.name);
  if (load::find_published(name)) throw Error(name, "is published by others, without weights here", "kinglet zoo show " + name, ErrorKind::usage);
  throw Error(name, "is no model of the zoo, shipped or published", did_you_mean(name, names), ErrorKind::usage);
}

std::string comparison(const ZooModel& model, const std::vector<load::PublishedModel>& published) {
  const bool printed = std::any_of(published.begin(), published.end(), [&](const load::PublishedModel& other) { return other.ours == model.name; });
  if (!printed) return "";
  if (const auto why = reason(model, published); !why.empty()) return "not comparable: " + why;
  const auto wrong = fault(model, published);
  return wrong.empty() ? "measured" : "measured; " + wrong;
}

Json zoo_model_to_json(const ZooModel& model, const std::vector<load::PublishedModel>& published) {
  const ZooFile *f = model.find("TFLite", "float32"), *q = model.find("TFLite", "int8");
  return {{"name", model.name}, {"dataset", model.dataset}, {"n", q ? q->n : f ? f->n : 0}, {"float_top1", top1_or_null(f)}, {"int8_top1", top1_or_null(q)},
          {"published_float_top1", number_or_null(load::published_top1(published, model.name, "float32"))}, {"published_int8_top1", number_or_null(load::published_top1(published, model.name, "int8"))},
          {"params", model.params}, {"macs", model.macs}, {"int8_bytes", q ? Json(q->bytes) : Json(nullptr)},
          {"arena_bytes", q ? Json(q->arena_bytes) : Json(nullptr)}, {"latency_us", number_or_null(q ? q->median_us : std::nullopt)},
          {"latency_machine", text_or_null(q ? q->machine : "")}, {"seeds", model.card.value("seeds", Json())}, {"not_comparable", text_or_null(reason(model, published))}, {"published_fault", text_or_null(fault(model, published))}};
}

}  // namespace kinglet::flow
