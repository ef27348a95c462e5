#include "base/error.h"
#include "card/card.h"

namespace kinglet::card {

namespace {

/// One object of card.json and where it stands.
class Reader {
 public:
  Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  template <class T>
  void read(const char* key, T& field) const {
    field = json_at<T>(json_, key, where_);
  }
  /// null: not known. A key younger than the card may be missing.
  template <class T>
  void read(const char* key, std::optional<T>& field) const {
    if (json_.is_object() && json_.contains(key) && !json_[key].is_null()) field = json_at<T>(json_, key, where_);
  }
  Json at(const char* key) const { return json_at<Json>(json_, key, where_); }
  Reader inside(const Json& json, const std::string& name) const { return {json, where_ + ": " + name}; }
  const std::string& where() const { return where_; }

 private:
  const Json& json_;
  std::string where_;
};

ModelFacts read_model(const Reader& r) {
  ModelFacts m;
  r.read("name", m.name);
  r.read("task", m.task);
  r.read("architecture", m.architecture);
  r.read("description", m.description);
  m.input = graph::input_spec_from_json(r.at("input"), r.where() + ": input");
  r.read("labels", m.labels);
  r.read("params", m.params);
  r.read("train_params", m.train_params);
  r.read("macs", m.macs);
  return m;
}

BackendRow read_row(const Reader& r) {
  BackendRow row;
  r.read("backend", row.backend);
  r.read("precision", row.precision);
  r.read("file", row.file);
  r.read("bytes", row.bytes);
  r.read("sha256", row.sha256);
  r.read("arena_bytes", row.arena_bytes);
  if (const Json a = r.at("accuracy"); !a.is_null()) row.accuracy = eval::eval_report_from_json(a, r.where() + ": accuracy");
  if (const Json l = r.at("latency"); !l.is_null()) row.latency = eval::bench_report_from_json(l, r.where() + ": latency");
  return row;
}

TrainingFacts read_training(const Reader& r) {
  TrainingFacts t;
  r.read("recipe", t.recipe);
  r.read("epochs", t.epochs);
  r.read("seed", t.seed);
  r.read("hours", t.hours);
  r.read("threads", t.threads);
  r.read("machine", t.machine);
  r.read("weights_chosen_by", t.weights_chosen_by);
  r.read("parent", t.parent);
  return t;
}

DataFacts read_data(const Reader& r) {
  DataFacts d;
  r.read("name", d.info.name);
  r.read("split", d.info.split);
  r.read("classes", d.info.classes);
  r.read("licence", d.info.licence);
  r.read("citation", d.info.citation);
  r.read("url", d.info.url);
  r.read("notes", d.info.notes);
  r.read("train_n", d.train_n);
  r.read("val_n", d.val_n);
  r.read("test_n", d.test_n);
  return d;
}

Licences read_licences(const Reader& r) {
  Licences l;
  r.read("code", l.code);
  r.read("weights", l.weights);
  r.read("data", l.data);
  return l;
}

PublishedFigure read_published(const Reader& r) {
  PublishedFigure p;
  r.read("backend", p.backend);
  r.read("precision", p.precision);
  r.read("top1", p.top1_percent);
  r.read("top5", p.top5_percent);
  r.read("source", p.source);
  r.read("not_comparable", p.not_comparable);
  return p;
}

CurvePoint read_curve(const Reader& r) {
  CurvePoint p;
  r.read("epoch", p.epoch);
  r.read("train_loss", p.train_loss);
  r.read("train_top1", p.train_top1);
  r.read("val_top1", p.val_top1);
  return p;
}

SeedRun read_seed(const Reader& r) {
  SeedRun run;
  r.read("seed", run.seed);
  r.read("float32", run.float_top1);
  r.read("int8", run.int8_top1);
  return run;
}

template <class F>
auto read_list(const Reader& r, const Json& list, const std::string& name, F read) {
  std::vector<decltype(read(r))> items;
  for (size_t i = 0; i < list.size(); ++i) items.push_back(read(r.inside(list[i], name + "[" + std::to_string(i) + "]")));
  return items;
}

}  // namespace

CardInput card_from_json(const Json& card, const std::string& where) {
  const Reader r(card, where);
  CardInput input;
  input.model = read_model(r.inside(r.at("model"), "model"));
  input.licences = read_licences(r.inside(r.at("licences"), "licences"));
  input.rows = read_list(r, r.at("rows"), "rows", read_row);
  r.read("detail_row", input.detail_row);
  if (const Json training = r.at("training"); !training.is_null()) input.training = read_training(r.inside(training, "training"));
  input.data = read_data(r.inside(r.at("data"), "data"));
  input.curve = read_list(r, r.at("curve"), "curve", read_curve);
  input.published = read_list(r, r.at("published"), "published", read_published);
  r.read("reproduce", input.reproduce);
  r.read("limits", input.limits);
  r.read("proofs", input.proofs);
  if (card.contains("quantization")) input.quantization = card["quantization"];
  if (card.contains("seeds") && !card["seeds"].is_null()) input.seeds = read_list(r, r.inside(card["seeds"], "seeds").at("runs"), "seeds.runs", read_seed);
  r.read("tool_version", input.tool_version);
  r.read("date", input.date);
  return input;
}

}  // namespace kinglet::card
