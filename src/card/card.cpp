#include "card/card.h"

#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

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
          {"latency", row.latency ? eval::bench_report_to_json(*row.latency) : Json(nullptr)}};
}

Json training_json(const TrainingFacts& t) {
  return {{"recipe", t.recipe}, {"epochs", optional_json(t.epochs)}, {"seed", optional_json(t.seed)}, {"hours", optional_json(t.hours)},
          {"weights_chosen_by", t.weights_chosen_by}, {"parent", t.parent}};
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

template <class T, class F>
Json list_json(const std::vector<T>& items, F to_json) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

std::vector<std::string> split_cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

double parse_number(const std::string& cell, const std::string& where) {
  size_t used = 0;
  double value = 0;
  try {
    value = std::stod(cell, &used);
  } catch (const std::exception&) {
    used = std::string::npos;
  }
  if (used != cell.size()) throw Error(where, "'" + cell + "' is no number");
  return value;
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
                  {"reproduce", input.reproduce},
                  {"limits", input.limits},
                  {"proofs", input.proofs},
                  {"tool_version", input.tool_version},
                  {"date", input.date}};
  const nlohmann::json sorted = card;  // std::map inside: keys in order
  return Json(sorted);
}

std::vector<std::filesystem::path> write_card(const CardInput& input, const std::filesystem::path& folder) {
  const std::vector<std::filesystem::path> paths{folder / "README.md", folder / "card.html", folder / "card.json"};
  const std::string texts[]{readme_text(input), html_text(input), card_json(input).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
  for (size_t i = 0; i < paths.size(); ++i) write_file(paths[i], texts[i]);
  return paths;
}

std::vector<CurvePoint> read_curve(const std::string& csv, const std::string& where) {
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  std::map<std::string, size_t> column;
  const auto head = split_cells(line);
  for (size_t i = 0; i < head.size(); ++i) column[head[i]] = i;
  if (!column.contains("epoch")) throw Error(where, "has no column 'epoch' in its first line");
  std::vector<CurvePoint> curve;
  for (int number = 2; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const auto cells = split_cells(line);
    const std::string at = where + ":" + std::to_string(number);
    const auto read = [&](const std::string& name) -> std::optional<double> {
      const auto it = column.find(name);
      if (it == column.end() || it->second >= cells.size() || cells[it->second].empty()) return std::nullopt;
      return parse_number(cells[it->second], at);
    };
    const auto epoch = read("epoch");
    if (!epoch) throw Error(at, "has no epoch");
    curve.push_back({static_cast<int>(*epoch), read("loss"), read("train_top1"), read("val_top1")});
  }
  return curve;
}

}  // namespace kinglet::card
