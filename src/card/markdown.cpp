#include "card/markdown.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <regex>
#include <sstream>
#include <utility>

namespace kinglet::card {

namespace {

bool is_delimiter(const std::vector<std::string>& cells) {
  return !cells.empty() && std::all_of(cells.begin(), cells.end(), [](const std::string& c) { return contains(c, "-") && c.find_first_not_of("-: ") == std::string::npos; });
}

Record record_of(const std::vector<std::string>& head, const std::vector<std::string>& cells, int line) {
  Record record;
  for (size_t i = 0; i < std::min(head.size(), cells.size()); ++i) record.push_back({head[i], cells[i], line});
  return record;
}

void fill_records(Table& table) {
  table.records = table.rows;
  if (table.head.size() != 2 || kind_of(table.head[1]) != Kind::other) return;
  Record all;
  for (const auto& row : table.rows)
    if (row.size() == 2) all.push_back({row[0].text, row[1].text, row[1].line});
  table.records = {all};
}

bool has_word(const std::string& text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto is_letter = [&](size_t i) { return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])); };
    if (!(at > 0 && is_letter(at - 1)) && !is_letter(at + word.size())) return true;
  }
  return false;
}

/// "(M)" -> "m"; "(ms, min / median / p95)" -> "ms".
std::string unit_in(const std::string& head) {
  std::smatch found;
  return std::regex_search(head, found, std::regex(R"(\(\s*([A-Za-z%]+))")) ? lower(found[1]) : "";
}

}  // namespace

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r*`"), last = text.find_last_not_of(" \t\r*`");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Kind kind_of(const std::string& head) {
  const std::string name = lower(head);
  const auto has = [&](std::string_view part) { return contains(name, part); };
  if (has("top-5") || has("top5")) return Kind::top5;
  if (has("top-1") || has("top1") || has("accuracy")) return Kind::top1;
  if (has("backend") || has("framework") || has("engine")) return Kind::backend;
  if (has("inference") || has("latency")) return Kind::time;
  if (has("param")) return Kind::params;
  if (has("flop") || has_word(name, "ops") || has("operations")) return Kind::operations;
  if (has_word(name, "macs")) return Kind::macs;
  if (has("size") && !has("input") && !has("image") && !has("batch")) return Kind::size;
  if (has("precision") || has("quantiz") || has_word(name, "dtype")) return Kind::precision;
  if (has_word(name, "model") || has("network")) return Kind::model;
  return has("device") || has("board") || has("platform") ? Kind::device : Kind::other;
}

const Field* find(const Record& record, Kind kind) {
  for (const auto& field : record)
    if (field.kind() == kind) return &field;
  return nullptr;
}

std::string text_of(const Record& record, Kind kind) {
  const Field* field = find(record, kind);
  return field ? field->text : "";
}

bool Table::is_quoted() const {
  return std::any_of(head.begin(), head.end(), [](const std::string& cell) { return lower(cell) == "source"; });
}

std::vector<std::string> table_cells(const std::string& line) {
  const std::string row = trim(line);
  std::vector<std::string> cells;
  std::string cell;
  for (size_t i = row.starts_with('|') ? 1 : 0; i < row.size(); ++i) {
    if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|') cell += row[++i];
    else if (row[i] == '|') cells.push_back(trim(std::exchange(cell, "")));
    else cell += row[i];
  }
  const bool has_pipe = !cells.empty();
  if (has_pipe && !row.ends_with('|')) cells.push_back(trim(cell));
  return cells;
}

/// A table is a run of lines with pipes of which one begins with a pipe or is the row of dashes under a head.
std::vector<Table> markdown_tables(const std::string& text) {
  std::vector<Table> tables;
  Table table;
  bool certain = false;
  const auto close = [&] {
    fill_records(table);
    if (certain) tables.push_back(std::move(table));
    table = {}, certain = false;
  };
  std::istringstream in(text + "\n\n");
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto cells = table_cells(line);
    if (cells.empty()) {
      close();
      continue;
    }
    certain = certain || is_delimiter(cells) || trim(line).starts_with('|');
    if (table.head.empty()) table.head = cells;
    else if (!is_delimiter(cells)) table.rows.push_back(record_of(table.head, cells, number));
  }
  return tables;
}

double Quantity::scale() const {
  const char first = unit.empty() || unit == "ms" || unit == "min" ? ' ' : unit[0];
  return first == 'm' ? 1e6 : first == 'k' ? 1e3 : first == 'g' ? 1e9 : 1;
}

std::optional<Quantity> quantity(const Field& field) {
  static const std::regex kFootnote("<sup>.*?</sup>|<[^>]*>"), kFigure(R"(^([0-9][0-9,]*)?(\.[0-9]+)?\s*([A-Za-z%]*))");
  const std::string text = trim(std::regex_replace(field.text, kFootnote, ""));
  std::smatch found;
  if (!std::regex_search(text, found, kFigure) || found[1].length() + found[2].length() == 0) return std::nullopt;
  std::string whole = found[1];
  std::erase(whole, ',');
  const std::string unit = lower(found[3]);
  const auto decimals = std::max<std::ptrdiff_t>(0, found[2].length() - 1);
  return Quantity{std::stod("0" + whole + found[2].str()), 0.5 * std::pow(10.0, -static_cast<double>(decimals)), unit.empty() ? unit_in(field.head) : unit, decimals == 0};
}

std::string precision_of(const Record& record, const Field& field) {
  for (const auto& text : {lower(field.head), lower(text_of(record, Kind::precision))}) {
    if (contains(text, "int8")) return "int8";
    if (contains(text, "fp32") || contains(text, "float")) return "float32";
  }
  return "";
}

}  // namespace kinglet::card
