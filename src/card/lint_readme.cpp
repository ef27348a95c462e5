#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <sstream>
#include <utility>

#include "card/lint.h"

namespace kinglet::card {

namespace {

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r*`"), last = text.find_last_not_of(" \t\r*`");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The cells of a Markdown table line, empty for other lines.
std::vector<std::string> cells_of(const std::string& line) {
  const std::string row = trim(line);
  std::vector<std::string> cells;
  if (row.empty() || row[0] != '|') return cells;
  std::string cell;
  for (size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|') cell += row[++i];
    else if (row[i] == '|') cells.push_back(trim(std::exchange(cell, "")));
    else cell += row[i];
  }
  return cells;
}

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

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

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

class ReadmeLinter {
 public:
  std::vector<Finding> run(const std::string& text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      ++number_;
      take_line(line);
    }
    check_whole(lower(text));
    return std::move(findings_);
  }

 private:
  void add(const std::string& what, const std::string& hint = {}) { findings_.push_back({fmt::format("README.md:{}", number_), what, hint}); }

  void take_line(const std::string& line) {
    const auto cells = cells_of(line);
    if (cells.empty()) {
      head_.clear();
      return;
    }
    if (head_.empty()) {
      head_ = cells;
      reported_.assign(cells.size(), false);
      return;
    }
    for (size_t i = 0; i < std::min(cells.size(), head_.size()); ++i) check_cell(i, cells[i]);
    check_ranks(cells);
  }

  void check_cell(size_t column, const std::string& cell) {
    if (is_estimate(cell)) add("'" + cell + "' under '" + head_[column] + "' is an estimate among measurements", "measure it or write '-'");
    if (!number_of(cell) || has_unit(head_[column]) || reported_[column]) return;
    reported_[column] = true;
    add("column '" + head_[column] + "' has numbers and no unit", "write the unit into the head of the column: (%), (ms), (bytes)");
  }

  void check_ranks(const std::vector<std::string>& cells) {
    std::optional<double> top1, top5;
    for (size_t i = 0; i < std::min(cells.size(), head_.size()); ++i) {
      const std::string name = lower(head_[i]);
      if (name.rfind("top-1", 0) == 0) top1 = number_of(cells[i]);
      if (name.rfind("top-5", 0) == 0) top5 = number_of(cells[i]);
    }
    has_accuracy_ = has_accuracy_ || top1.has_value();
    if (top1 && top5 && *top5 < *top1) add(fmt::format("Top-5 {} is below Top-1 {}", *top5, *top1), "the columns may be swapped");
  }

  void check_whole(const std::string& text) {
    number_ = 1;
    if (contains(text, "flops") && !contains(text, "2 x macs")) add("FLOPs are printed without saying what is counted", "say FLOPs = 2 x MACs, or print MACs (multiply-accumulates)");
    if (has_accuracy_ && !contains(text, "pictures of the split") && !contains(text, "| n |")) add("accuracy is printed without the number of pictures", "state n and the split");
    for (const char* of : {"code", "weights", "data"})
      if (!contains(text, std::string("| ") + of + " | ")) add(std::string("the licence of the ") + of + " is not named");
  }

  int number_ = 0;
  std::vector<std::string> head_;
  std::vector<bool> reported_;
  bool has_accuracy_ = false;
  std::vector<Finding> findings_;
};

/// The README's line of a file must hold the figures that card.json has of it.
void check_same_figures(const Json& row, const std::string& readme, std::vector<Finding>& findings) {
  const auto accuracy = row.find("accuracy");
  if (accuracy == row.end() || !accuracy->is_object() || !accuracy->contains("top1") || !(*accuracy)["top1"].is_number()) return;
  const std::string file = row.value("file", ""), top1 = fmt::format("{:.2f}", (*accuracy)["top1"].get<double>());
  std::istringstream in(readme);
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    const auto cells = cells_of(line);
    const auto has = [&](const std::string& cell) { return std::find(cells.begin(), cells.end(), cell) != cells.end(); };
    found = found || (has(file) && has(top1));
  }
  if (!found) findings.push_back({"README.md", "does not print Top-1 " + top1 + " of " + file + ", which card.json has", "write both from the same card"});
}

}  // namespace

std::vector<Finding> lint_readme(const std::string& text) { return ReadmeLinter().run(text); }

std::vector<Finding> lint(const Json& card, const std::string& readme) {
  auto findings = lint_json(card);
  for (auto& finding : lint_readme(readme)) findings.push_back(std::move(finding));
  if (card.is_object() && card.contains("rows") && card["rows"].is_array())
    for (const Json& row : card["rows"])
      if (row.is_object()) check_same_figures(row, readme, findings);
  return findings;
}

}  // namespace kinglet::card
