#include "card/card.h"

#include "base/error.h"
#include "base/file.h"
#include "card/figures.h"

namespace kinglet::card {

namespace {

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json model_json(const ModelFacts& m) {
  return {{"name", m.name}, {"task", m.task}, {"architecture", m.architecture}, {"description", m.description}, {"labels", m.labels},
          {"input", graph::input_spec_to_json(m.input)}, {"input_text", graph::describe(m.input)}, {"params", optional_json(m.params)},
          {"train_params", optional_json(m.train_params)}, {"macs", optional_json(m.macs)},
          {"flops", m.macs ? Json(2 * *m.macs) : Json(nullptr)}};
}

Json row_json(const BackendRow& row) {
  return {{"backend", row.backend}, {"precision", row.precision}, {"file", row.file}, {"bytes", row.bytes}, {"sha256", row.sha256},
          {"accuracy", row.accuracy ? eval::eval_report_to_json(*row.accuracy) : Json(nullptr)},
          {"arena_bytes", optional_json(row.arena_bytes)},
          {"latency", row.latency ? eval::bench_report_to_json(*row.latency) : Json(nullptr)}};
}

Json training_json(const TrainingFacts& t) {
  return {{"recipe", t.recipe}, {"epochs", optional_json(t.epochs)}, {"seed", optional_json(t.seed)}, {"hours", optional_json(t.hours)},
          {"threads", optional_json(t.threads)}, {"machine", optional_json(t.machine)}, {"weights_chosen_by", t.weights_chosen_by}, {"parent", t.parent}};
}

Json data_json(const DataFacts& d) {
  return {{"name", d.info.name}, {"split", d.info.split}, {"classes", d.info.classes}, {"licence", d.info.licence}, {"citation", d.info.citation},
          {"url", d.info.url}, {"notes", d.info.notes}, {"train_n", optional_json(d.train_n)}, {"val_n", optional_json(d.val_n)},
          {"test_n", optional_json(d.test_n)}};
}

Json published_json(const PublishedFigure& p) {
  return {{"backend", p.backend}, {"precision", p.precision}, {"top1", optional_json(p.top1_percent)}, {"top5", optional_json(p.top5_percent)},
          {"source", p.source}, {"not_comparable", p.not_comparable}};
}

Json curve_json(const CurvePoint& p) {
  return {{"epoch", p.epoch}, {"train_loss", optional_json(p.train_loss)},
          {"train_top1", optional_json(p.train_top1)}, {"val_top1", optional_json(p.val_top1)}};
}

Json seed_json(const SeedRun& run) { return {{"seed", run.seed}, {"float32", optional_json(run.float_top1)}, {"int8", optional_json(run.int8_top1)}}; }

template <class T, class F>
Json list_json(const std::vector<T>& items, F to_json) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

Json seeds_json(const std::vector<SeedRun>& runs) {
  if (runs.empty()) return nullptr;
  const auto floats = seed_spread(runs, &SeedRun::float_top1), ints = seed_spread(runs, &SeedRun::int8_top1);
  const auto pick = [&](double SeedSpread::*field) -> Json { return {{"float32", floats ? Json((*floats).*field) : Json(nullptr)}, {"int8", ints ? Json((*ints).*field) : Json(nullptr)}}; };
  return {{"runs", list_json(runs, seed_json)}, {"mean", pick(&SeedSpread::mean)}, {"deviation", pick(&SeedSpread::deviation)}};
}

}  // namespace

Json card_json(const CardInput& input) {
  const Json card{{"kinglet_card", 1},
                  {"model", model_json(input.model)},
                  {"licences", {{"code", input.licences.code}, {"weights", input.licences.weights}, {"data", input.licences.data}}},
                  {"rows", list_json(input.rows, row_json)},
                  {"detail_row", input.detail_row},
                  {"training", input.training ? training_json(*input.training) : Json(nullptr)},
                  {"data", data_json(input.data)},
                  {"curve", list_json(input.curve, curve_json)},
                  {"published", list_json(input.published, published_json)},
                  {"quantization", input.quantization},
                  {"seeds", seeds_json(input.seeds)},
                  {"reproduce", input.reproduce},
                  {"limits", input.limits},
                  {"proofs", input.proofs},
                  {"tool_version", input.tool_version},
                  {"date", input.date}};
  const nlohmann::json sorted = card;  // std::map inside: keys in order
  return Json(sorted);
}

std::vector<CardFile> card_files(const CardInput& input) {
  return {{"README.md", readme_text(input)}, {"card.html", html_text(input)}, {"card.json", card_json(input).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"}};
}

std::vector<std::filesystem::path> write_card(const CardInput& input, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : card_files(input)) {
    paths.push_back(folder / file.name);
    write_file(paths.back(), file.text);
  }
  return paths;
}

}  // namespace kinglet::card
