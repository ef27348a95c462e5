#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <sstream>

#include "card/lint_text.h"

namespace kinglet::card {

namespace {

std::optional<double> number_of(std::string cell) {
  std::erase(cell, ',');
  if (cell.empty() || (!std::isdigit(static_cast<unsigned char>(cell[0])) && cell[0] != '.')) return std::nullopt;
  size_t used = 0;
  try {
    const double value = std::stod(cell, &used);
    return used == cell.size() ? std::optional(value) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// Heads that say themselves what their numbers count.
bool has_unit(const std::string& head) {
  static constexpr std::array kPlain{"n", "class", "batch", "value", "bytes", "pictures", "epoch", "epochs", "seed", "classes", "", "macs", "parameters", "shape"};
  const std::string name = lower(head);
  return contains(name, "(") || contains(name, "%") || contains(name, "[") || std::find(kPlain.begin(), kPlain.end(), name) != kPlain.end();
}

/// Words by which a guess gives itself away in a cell.
bool is_estimate(const std::string& cell) {
  const std::string text = lower(cell);
  if (text.empty()) return false;
  if (text[0] == '~' || text.rfind("≈", 0) == 0) return true;
  for (const char* word : {"estimate", "approx", "todo", "tbd", "circa"})
    if (contains(text, word)) return true;
  return false;
}

/// Units, guesses and ranks, line by line.
void lint_cells(const Table& table, Findings& findings) {
  std::set<std::string> reported;
  for (const auto& row : table.rows)
    for (const auto& field : row) {
      if (is_estimate(field.text)) findings.add(field.line, "'" + field.text + "' under '" + field.head + "' is an estimate among measurements", "measure it or write '-'");
      if (number_of(field.text) && !has_unit(field.head) && reported.insert(field.head).second)
        findings.add(field.line, "column '" + field.head + "' has numbers and no unit", "write the unit into the head of the column: (%), (ms), (bytes)");
    }
}

void lint_ranks(const Table& table, Findings& findings) {
  for (const auto& record : table.records) {
    const Field *first = find(record, Kind::top1), *fifth = find(record, Kind::top5);
    const auto top1 = first ? quantity(*first) : std::nullopt, top5 = fifth ? quantity(*fifth) : std::nullopt;
    if (top1 && top5 && top5->value < top1->value) findings.add(fifth->line, fmt::format("Top-5 {} is below Top-1 {}", top5->value, top1->value), "the columns may be swapped");
  }
}

template <class Is>
bool any_field(const CardText& text, Is is) {
  for (const auto& table : text.tables)
    for (const auto& record : table.records)
      if (std::any_of(record.begin(), record.end(), is)) return true;
  return false;
}

void lint_whole(const CardText& text, Findings& findings) {
  const bool operations = contains(text.whole, "flops") || any_field(text, [](const Field& f) { return f.kind() == Kind::operations; });
  if (operations && !contains(text.whole, "2 x macs")) findings.add(1, "FLOPs are printed without saying what is counted", "say FLOPs = 2 x MACs, or print MACs (multiply-accumulates)");
  const bool accuracy = any_field(text, [](const Field& f) { return f.kind() == Kind::top1 && quantity(f); });
  const bool n = contains(text.whole, "pictures of the split") || any_field(text, [](const Field& f) { return f.head == "n"; });
  if (accuracy && !n) findings.add(1, "accuracy is printed without the number of pictures", "state n and the split");
  for (const char* of : {"code", "weights", "data"})
    if (!any_field(text, [&](const Field& f) { return lower(f.head) == of || lower(f.text) == of; })) findings.add(1, std::string("the licence of the ") + of + " is not named");
}

/// The first heading, else the first line that says anything; front matter is none.
std::string title_of(const std::string& text) {
  std::istringstream in(text);
  std::string first;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# ")) return lower(line.substr(2));
    if (first.empty() && !trim(line).empty()) first = lower(line);
  }
  return first;
}

/// The README's line of a file must hold the figures that card.json has of it.
void check_same_figures(const Json& row, const std::string& readme, std::vector<Finding>& findings) {
  const auto accuracy = row.find("accuracy");
  if (accuracy == row.end() || !accuracy->is_object() || !accuracy->contains("top1") || !(*accuracy)["top1"].is_number()) return;
  const std::string file = row.value("file", ""), top1 = fmt::format("{:.2f}", (*accuracy)["top1"].get<double>());
  std::istringstream in(readme);
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    const auto cells = table_cells(line);
    const auto has = [&](const std::string& cell) { return std::find(cells.begin(), cells.end(), cell) != cells.end(); };
    found = found || (has(file) && has(top1));
  }
  if (!found) findings.push_back({"README.md", "does not print Top-1 " + top1 + " of " + file + ", which card.json has", "write both from the same card"});
}

}  // namespace

void Findings::add(int line, const std::string& what, const std::string& hint) { all_.emplace_back(line, Finding{fmt::format("README.md:{}", line), what, hint}); }

std::vector<Finding> Findings::take() {
  std::stable_sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Finding> findings;
  for (auto& [line, finding] : all_) findings.push_back(std::move(finding));
  return findings;
}

std::vector<Finding> lint_readme(const std::string& text) {
  const CardText card{lower(text), title_of(text), markdown_tables(text)};
  Findings findings;
  for (const auto& table : card.tables) lint_cells(table, findings), lint_ranks(table, findings);
  for (const auto lint : {lint_whole, lint_figures, lint_network, lint_words}) lint(card, findings);
  return findings.take();
}

std::vector<Finding> lint(const Json& card, const std::string& readme) {
  auto findings = lint_json(card);
  for (auto& finding : lint_readme(readme)) findings.push_back(std::move(finding));
  if (card.is_object() && card.contains("rows") && card["rows"].is_array())
    for (const Json& row : card["rows"])
      if (row.is_object()) check_same_figures(row, readme, findings);
  return findings;
}

}  // namespace kinglet::card
