#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "card/card.h"
#include "card/figures.h"
#include "card/svg.h"

namespace kinglet::card {

namespace {

/// A YAML double-quoted scalar: JSON's strings are a subset.
std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The hub knows licences by identifiers of its own; anything else is "other" with a name.
std::string licence_lines(const std::string& licence) {
  static constexpr std::array kKnown{"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "gpl-3.0"};
  const std::string id = lower(licence);
  if (std::find(kKnown.begin(), kKnown.end(), id) != kKnown.end()) return "license: " + id + "\n";
  if (licence.empty()) return "license: unknown\n";
  return "license: other\nlicense_name: " + quoted(licence) + "\n";
}

std::string metric_line(const std::string& type, const std::string& name, double value) {
  return fmt::format("    - type: {}\n      name: {}\n      value: {}\n", type, quoted(name), short_number(value, 2));
}

std::string model_index(const CardInput& input) {
  std::string metrics;
  for (const auto& row : input.rows) {
    if (!row.accuracy) continue;
    const std::string of = fmt::format("{} {} (%)", row.backend, row.precision);
    metrics += metric_line("accuracy", "Top-1, " + of, row.accuracy->top1_percent());
    if (auto top5 = row.accuracy->top5_percent()) metrics += metric_line("accuracy", "Top-5, " + of, *top5);
  }
  if (metrics.empty()) return "";
  const auto* report = detail(input);
  return fmt::format("model-index:\n- name: {}\n  results:\n  - task:\n      type: {}\n    dataset:\n      name: {}\n      type: {}\n      split: {}\n    metrics:\n{}",
                     quoted(input.model.name), input.model.task, quoted(input.data.info.name), quoted(lower(input.data.info.name)),
                     quoted(report ? report->split : input.data.info.split), metrics);
}

std::string front_matter(const CardInput& input) {
  std::string text = "---\n" + licence_lines(input.licences.weights) + "library_name: kinglet\npipeline_tag: " + input.model.task + "\ntags:\n- " + input.model.task + "\n- tinyml\n";
  std::vector<std::string> tags;
  for (const auto& row : input.rows)
    for (const auto& tag : {lower(row.backend), lower(row.precision)})
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  for (const auto& tag : tags) text += "- " + quoted(tag) + "\n";
  text += "datasets:\n- " + quoted(lower(input.data.info.name)) + "\nmetrics:\n- accuracy\n" + model_index(input);
  return text + "---\n\n";
}

/// One line in which nothing is taken for HTML.
std::string plain(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<') out += "&lt;";
    else out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string cell(const std::string& text) {
  std::string out;
  for (char c : plain(text)) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string row_text(const Cells& cells) {
  std::string text = "|";
  for (const auto& c : cells) text += " " + cell(c) + " |";
  return text + "\n";
}

std::string table_text(const Table& table) {
  if (table.rows.empty()) return "";
  std::string text = row_text(table.head) + "|";
  for (size_t i = 0; i < table.head.size(); ++i) text += " --- |";
  text += "\n";
  for (const auto& row : table.rows) text += row_text(row);
  return text + "\n";
}

std::string section(const std::string& title, const std::string& body) { return body.empty() ? "" : "## " + title + "\n\n" + body; }

std::string bullets(const std::vector<std::string>& sentences) {
  std::string text;
  for (const auto& s : sentences) text += "- " + plain(s) + "\n";
  return text.empty() ? "" : text + "\n";
}

std::string commands(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += "    " + line + "\n";
  return text.empty() ? "" : text + "\n";
}

std::string class_table(const CardInput& input) {
  const auto* report = detail(input);
  if (!report) return "";
  Table table{{"Class", "Pictures", "Recall (%)", "Precision (%)"}, {}};
  for (const auto& c : report->class_figures()) table.rows.push_back({c.name, count_cell(c.n), percent_cell(c.recall_percent()), percent_cell(c.precision_percent())});
  const auto& row = detail_row(input);
  return fmt::format("Of {} {}, {} pictures.\n\n", row.backend, row.precision, count_cell(report->n)) + table_text(table);
}

}  // namespace

std::string readme_text(const CardInput& input) {
  std::string text = front_matter(input) + "# " + input.model.name + "\n\n";
  if (!input.model.description.empty()) text += input.model.description + "\n\n";
  if (!input.model.architecture.empty()) text += input.model.architecture + ".\n\n";
  text += section("Network", table_text(network_table(input)) + table_text(cost_table(input)));
  text += section("Benchmark", table_text(benchmark_table(input)) + bullets(conditions(input)));
  text += section("Classes", class_table(input));
  text += section("Published figures", table_text(published_table(input)));
  text += section("Training", table_text(training_table(input)));
  text += section("Seeds", table_text(seed_table(input)) + table_text(spread_table(input)) + bullets(seed_sentences(input)));
  text += section("Data", table_text(data_table(input)));
  text += section("Proofs", bullets(input.proofs));
  text += section("Limits, and what would raise the figures", bullets(limits(input)));
  text += section("How to reproduce", commands(input.reproduce));
  text += section("Files", table_text(file_table(input)));
  text += section("Licences", table_text(licence_table(input)));
  text += "Made by Kinglet" + (input.tool_version.empty() ? "" : " " + input.tool_version) + (input.date.empty() ? "" : " on " + input.date) + "; card.json holds every figure.\n";
  return text;
}

}  // namespace kinglet::card
