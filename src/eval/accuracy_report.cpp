#include "base/error.h"
#include "base/text.h"
#include "eval/accuracy.h"
#include "eval/doubts.h"

namespace kinglet::eval {

namespace {

std::optional<double> share_percent(int64_t part, int64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// "" when the model's labels are the data's, else how they differ.
std::string label_difference(const graph::Model& model, const data::DatasetInfo& info, int offset) {
  if (model.labels.empty() || info.classes.empty()) return "";
  if (model.labels.size() != info.classes.size() + static_cast<size_t>(offset))
    return "the model names " + std::to_string(model.labels.size()) + " labels for " + std::to_string(info.classes.size()) + " classes";
  for (size_t i = 0; i < info.classes.size(); ++i) {
    const std::string& label = model.labels[i + static_cast<size_t>(offset)];
    if (lower(label) != lower(info.classes[i])) return "class " + std::to_string(i) + " is '" + label + "' to the model and '" + info.classes[i] + "' in the data";
  }
  return "";
}

/// "" for pictures that the model's training had no part of.
std::string seen_before(const graph::Model& model, const data::DatasetInfo& info) {
  const Json training = model.provenance.is_object() ? model.provenance.value("training", Json()) : Json();
  if (!training.is_object() || info.split == "test" || json_at_or<std::string>(training, "data", "provenance") != info.name) return "";
  const auto split = json_at_or<std::string>(training, "split", "provenance");
  if (info.split == "val" && split == "train") return "these pictures chose the model's weights, so the figure is a little too good";
  return "the model was trained on pictures of " + info.name + " (" + split + ") and these are its split " + info.split + ": the figure says little about new pictures";
}

}  // namespace

std::optional<double> ClassFigures::recall_percent() const { return share_percent(hits, n); }
std::optional<double> ClassFigures::precision_percent() const { return share_percent(hits, predicted); }

double EvalReport::top1_percent() const { return share_percent(top1_hits, n).value_or(0.0); }

Interval EvalReport::top1_ci95_percent() const {
  const Interval fraction = wilson95(top1_hits, n);
  return {100.0 * fraction.low, 100.0 * fraction.high};
}

std::optional<double> EvalReport::top5_percent() const {
  if (confusion.size() <= 5 || gives_index) return std::nullopt;
  return share_percent(top5_hits, n);
}

std::vector<ClassFigures> EvalReport::class_figures() const {
  std::vector<ClassFigures> figures(confusion.size());
  for (size_t label = 0; label < confusion.size(); ++label) {
    figures[label].name = classes.at(label);
    figures[label].n = class_n.at(label);
    figures[label].hits = confusion[label][label];
    for (const auto& row : confusion) figures[label].predicted += row[label];
  }
  return figures;
}

std::vector<std::string> contract_warnings(const graph::Model& model, const data::DatasetInfo& info, int class_offset, bool resampled) {
  std::vector<std::string> warnings;
  if (auto doubt = contract_doubt(model.input, resampled); !doubt.empty()) warnings.push_back(std::move(doubt));
  if (auto difference = label_difference(model, info, class_offset); !difference.empty())
    warnings.push_back(difference + "; a wrong order of classes gives a wrong accuracy");
  if (auto seen = seen_before(model, info); !seen.empty()) warnings.push_back(std::move(seen));
  if (info.classes_sorted) warnings.push_back("the order of classes of " + info.name + " was only assumed: sorted names");
  return warnings;
}

Json eval_report_to_json(const EvalReport& report) {
  const Interval ci = report.top1_ci95_percent();
  Json json{{"n", report.n}, {"top1", report.top1_percent()}, {"top1_ci95", {ci.low, ci.high}}, {"top5", optional_json(report.top5_percent())}};
  json["top1_hits"] = report.top1_hits;
  json["top5_hits"] = report.top5_hits;
  json["data"] = report.data;
  json["split"] = report.split;
  json["engine"] = report.engine;
  json["threads"] = report.threads;
  json["images_per_s"] = report.images_per_s;
  json["confusion"] = report.confusion;
  json["classes"] = Json::array();
  for (const auto& c : report.class_figures())
    json["classes"].push_back({{"name", c.name}, {"n", c.n}, {"recall", optional_json(c.recall_percent())}, {"precision", optional_json(c.precision_percent())}});
  json["mistakes"] = Json::array();
  for (const auto& m : report.mistakes) json["mistakes"].push_back({{"id", m.id}, {"label", m.label}, {"predicted", m.predicted}, {"score", m.score}});
  json["warnings"] = report.warnings;
  return json;
}

EvalReport eval_report_from_json(const Json& json, const std::string& where) {
  EvalReport report;
  report.n = json_at<int64_t>(json, "n", where);
  report.top1_hits = json_at<int64_t>(json, "top1_hits", where);
  report.top5_hits = json_at<int64_t>(json, "top5_hits", where);
  report.data = json_at<std::string>(json, "data", where);
  report.split = json_at<std::string>(json, "split", where);
  report.engine = json_at<std::string>(json, "engine", where);
  report.threads = json_at<int>(json, "threads", where);
  report.images_per_s = json_at<double>(json, "images_per_s", where);
  report.confusion = json_at<std::vector<std::vector<int64_t>>>(json, "confusion", where);
  for (const Json& c : json_at<Json>(json, "classes", where)) {
    report.classes.push_back(json_at<std::string>(c, "name", where));
    report.class_n.push_back(json_at<int64_t>(c, "n", where));
  }
  for (const Json& m : json_at<Json>(json, "mistakes", where))
    report.mistakes.push_back({json_at<std::string>(m, "id", where), json_at<int>(m, "label", where), json_at<int>(m, "predicted", where), json_at<double>(m, "score", where)});
  report.warnings = json_at<std::vector<std::string>>(json, "warnings", where);
  report.gives_index = report.confusion.size() > 5 && json_at<Json>(json, "top5", where).is_null();
  if (report.classes.size() != report.confusion.size()) throw Error(where, "names as many classes as its confusion matrix has not");
  for (const auto& row : report.confusion)
    if (row.size() != report.confusion.size()) throw Error(where, "its confusion matrix is not square");
  return report;
}

}  // namespace kinglet::eval
