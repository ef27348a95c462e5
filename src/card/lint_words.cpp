#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "card/lint_text.h"

namespace kinglet::card {

namespace {

/// What a title speaks of, and words of which a class list of it holds at least one.
struct Topic {
  std::vector<std::string> names, classes;
};

const std::vector<Topic>& topics() {
  static const std::vector<Topic> all{{{"gender"}, {"female", "male", "woman", "man"}},
                                      {{"person", "visual wake word", "vww"}, {"person"}},
                                      {{"cifar10", "cifar-10"}, {"airplane", "truck"}},
                                      {{"fashion"}, {"trouser", "sneaker"}},
                                      {{"mnist"}, {"0", "1", "zero", "one"}},
                                      {{"emotion", "fer2013"}, {"happy", "happiness", "angry", "anger"}}};
  return all;
}

const Topic* topic_of(const std::string& text) {
  for (const auto& topic : topics())
    for (const auto& name : topic.names)
      if (contains(text, name)) return &topic;
  return nullptr;
}

/// The lines that speak of the data set.
std::string data_lines(const std::string& text) {
  std::istringstream in(text);
  std::string lines;
  for (std::string line; std::getline(in, line);)
    if (contains(line, "dataset") || contains(line, "data set")) lines += line + "\n";
  return lines;
}

struct ClassList {
  std::vector<std::string> classes;
  int line = 0;
};

std::vector<std::string> split_classes(std::string text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']' || c == '"' || c == '\'' || c == '|' || c == '*' || c == '`'; });
  std::vector<std::string> classes;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');)
    if (!trim(word).empty()) classes.push_back(trim(word));
  return classes;
}

/// "classes: a, b", "| Labels | a, b |", `"classes": ["a", "b"]`; a number of classes is none.
std::vector<ClassList> lists_in_lines(const std::string& text) {
  static const std::regex kList(R"(^[^a-z0-9]*(?:classes|class names|labels|categories)[^a-z0-9,]*[:|][^a-z0-9]*(.*)$)");
  std::vector<ClassList> lists;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::smatch found;
    if (!std::regex_match(line, found, kList)) continue;
    if (auto classes = split_classes(found[1]); classes.size() > 1) lists.push_back({std::move(classes), number});
  }
  return lists;
}

/// The first column of a table whose first head is "Class".
std::vector<ClassList> lists_in_tables(const std::vector<Table>& tables) {
  std::vector<ClassList> lists;
  for (const auto& table : tables) {
    if (table.rows.empty() || (lower(table.head[0]) != "class" && lower(table.head[0]) != "label")) continue;
    ClassList list{{}, table.rows[0][0].line};
    for (const auto& row : table.rows) list.classes.push_back(lower(row[0].text));
    lists.push_back(list);
  }
  return lists;
}

bool fits(const Topic& topic, const std::vector<std::string>& classes) {
  return std::any_of(classes.begin(), classes.end(), [&](const std::string& c) {
    return std::any_of(topic.classes.begin(), topic.classes.end(), [&](const std::string& word) { return c == word || (word.size() > 4 && contains(c, word)); });
  });
}

void lint_classes(const CardText& text, Findings& findings) {
  const Topic* topic = topic_of(text.title);
  if (!topic) topic = topic_of(data_lines(text.whole));
  if (!topic) return;
  auto lists = lists_in_lines(text.whole);
  for (auto& list : lists_in_tables(text.tables)) lists.push_back(std::move(list));
  for (const auto& list : lists)
    if (!fits(*topic, list.classes)) findings.add(list.line, fmt::format("the classes '{}, ...' are not those of {}", list.classes[0], topic->names[0]), "another model's list?");
}

/// A file name such as "rep_1xb32_300e_vww.py" against "100 epochs" in the text.
void lint_epochs(const CardText& text, Findings& findings) {
  static const std::regex kName(R"([_-](\d+)e(?:p|pochs?)?(?=[_.\s`)-]))"), kText(R"((\d+)\s+epochs|epochs\W+(\d+))");
  std::smatch named;
  if (!std::regex_search(text.whole, named, kName)) return;
  std::set<std::string> said;
  for (std::sregex_iterator at(text.whole.begin(), text.whole.end(), kText), end; at != end; ++at) said.insert((*at)[1].matched ? (*at)[1] : (*at)[2]);
  if (!said.empty() && !said.contains(named[1])) findings.add(1, fmt::format("a file is named for {} epochs, the text says {}", named[1].str(), *said.begin()), "say how long it was trained");
}

std::set<int> quoted_lines(const std::vector<Table>& tables) {
  std::set<int> lines;
  for (const auto& table : tables)
    for (const auto& row : table.is_quoted() ? table.rows : std::vector<Record>())
      if (!row.empty()) lines.insert(row[0].line);
  return lines;
}

/// One sum in the addresses of two different files.
void lint_sums(const CardText& text, Findings& findings) {
  static const std::regex kAddress(R"(https?://[^\s)>"|]*?([0-9a-f]{40}|[0-9a-f]{64})[^\s)>"|]*)");
  const auto quoted = quoted_lines(text.tables);
  std::map<std::string, std::set<std::string>> files;
  std::istringstream in(text.whole);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    if (quoted.contains(++number)) continue;
    for (std::sregex_iterator at(line.begin(), line.end(), kAddress), end; at != end; ++at) {
      const std::string address = at->str(), sum = (*at)[1];
      if (files[sum].insert(address.substr(address.rfind('/') + 1)).second && files[sum].size() == 2)
        findings.add(number, "2 files are named with the same sum " + sum.substr(0, 8) + "...", "print each file's own sum");
    }
  }
}

}  // namespace

void lint_words(const CardText& text, Findings& findings) {
  lint_classes(text, findings);
  lint_epochs(text, findings);
  lint_sums(text, findings);
}

}  // namespace kinglet::card
