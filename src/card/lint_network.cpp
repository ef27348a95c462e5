#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <regex>
#include <set>

#include "card/lint_text.h"
#include "zoo/zoo.h"

namespace kinglet::card {

namespace {

constexpr double kRounding = 0.03;  ///< how far a printed count may lie from the true one

bool fits(double printed, double truth) { return std::abs(printed - truth) <= kRounding * truth; }

struct Size {
  int height = 0, width = 0;
};

/// The first "64x64" or "(64, 64" of the text.
std::optional<Size> input_size(const std::string& text) {
  static const std::regex kSize(R"((\d{2,3})\s*(?:x|×|,)\s*(\d{2,3})(?![\d]))");
  std::smatch found;
  return std::regex_search(text, found, kSize) ? std::optional(Size{std::stoi(found[1]), std::stoi(found[2])}) : std::nullopt;
}

struct Known {
  zoo::Row row;
  zoo::Spec spec;
  std::string words() const {
    const auto stages = spec.options.find("stages");
    return fmt::format("width {} with {} stages at {}x{}", spec.width, stages == spec.options.end() ? "3" : stages->second, spec.height, spec.width_px);
  }
};

/// The re-parameterised MobileNetV2 in the sizes whose counts are known: the one family whose published counts are wrong.
std::vector<Known> known_networks() {
  std::vector<Known> known;
  for (const auto* rows : {&zoo::rows(), &zoo::sizes()})
    for (const auto& row : *rows)
      if (row.name == "mobilenet_v2_rep") known.push_back({row, zoo::parse_spec(row.example)});
  return known;
}

/// The width in "MobileNetV2 0.35 Rep", "mobilenetv2_0.35rep_vww64".
std::optional<double> rep_width(const std::string& name) {
  static const std::regex kName(R"(mobilenet_?v2[^a-z0-9]*([01]?\.\d+)[^a-z0-9]*rep)");
  std::smatch found;
  return std::regex_search(name, found, kName) ? std::optional(std::stod(found[1])) : std::nullopt;
}

std::optional<Known> named_network(const std::string& name, const std::optional<Size>& size) {
  const auto width = rep_width(name);
  for (auto& known : width ? known_networks() : std::vector<Known>())
    if (known.spec.width == *width && size && known.spec.height == size->height && known.spec.width_px == size->width) return known;
  return std::nullopt;
}

/// Another known network of the same input whose figure this is; "" when there is none.
template <class Figure>
std::string whose(const Known& named, double printed, Figure figure) {
  for (const auto& other : known_networks())
    if (other.spec.height == named.spec.height && other.spec.width_px == named.spec.width_px && fits(printed, static_cast<double>(figure(other.row)))) return other.words();
  return "";
}

void check_params(const Known& named, const Field& field, double printed, Findings& findings) {
  if (fits(printed, static_cast<double>(named.row.params))) return;
  const auto megabytes_of = whose(named, printed, [](const zoo::Row& row) { return 4 * row.params; });
  findings.add(field.line, fmt::format("'{}' under '{}': the named network, {}, has {} parameters", field.text, field.head, named.words(), named.row.params),
               megabytes_of.empty() ? "megabytes, a training graph's count or another design" : "the megabytes of " + megabytes_of);
}

void check_operations(const Known& named, const Field& field, double printed, Findings& findings) {
  const auto macs = static_cast<double>(named.row.macs);
  if (fits(printed, field.kind() == Kind::macs ? macs : 2 * macs)) return;
  const auto other = whose(named, printed, [](const zoo::Row& row) { return row.macs; });
  if (fits(printed, macs)) findings.add(field.line, fmt::format("'{}' under '{}' are the network's MACs ({})", field.text, field.head, named.row.macs), "FLOPs = 2 x MACs");
  else findings.add(field.line, fmt::format("'{}' under '{}': the named network, {}, has {} MACs", field.text, field.head, named.words(), named.row.macs), other.empty() ? "" : "the MACs of " + other);
}

void check_counts(const Known& named, const Record& record, std::set<std::string>& seen, Findings& findings) {
  for (const auto& field : record) {
    const Kind kind = field.kind();
    const auto figure = quantity(field);
    if (!figure || (kind != Kind::params && kind != Kind::operations && kind != Kind::macs) || !seen.insert(field.head + field.text).second) continue;
    (kind == Kind::params ? check_params : check_operations)(named, field, figure->value * figure->scale(), findings);
  }
}

/// What the authors report on ILSVRC's validation pictures, at 224x224.
struct Reported {
  const char* name;
  double top1;
  const char* source;
};
constexpr std::array kReported{Reported{"mnasnet", 73.3, "MNasNet-A1 0.75, upstream"}, Reported{"mobilenet v2", 71.3, "MobileNetV2 1.0, Keras"}, Reported{"mobilenetv2", 71.3, "MobileNetV2 1.0, Keras"}};
constexpr double kOtherPictures = 2.5;  ///< points beyond which the pictures or the preprocessing must have been others

void check_reported(const std::string& name, const Record& record, std::set<std::string>& seen, Findings& findings) {
  for (const auto& known : kReported)
    for (const auto& field : record) {
      const auto figure = field.kind() == Kind::top1 && contains(name, known.name) ? quantity(field) : std::nullopt;
      if (!figure) continue;
      const double percent = figure->value * (figure->value < 1 ? 100 : 1);
      if (std::abs(percent - known.top1) > kOtherPictures && seen.insert(name + field.head + field.text).second)
        findings.add(field.line, fmt::format("'{}' under '{}' is not what ILSVRC's validation pictures give: {} reports {} %", field.text, field.head, known.source, known.top1), "say on which pictures and with which input range it was measured");
    }
}

std::string joined(const Record& record) {
  std::string text;
  for (const auto& field : record) text += field.text + " ";
  return lower(text);
}

}  // namespace

void lint_network(const CardText& text, Findings& findings) {
  const bool imagenet = contains(text.whole, "imagenet") || contains(text.whole, "ilsvrc");
  std::set<std::string> seen;
  for (const auto& table : text.tables)
    for (const auto& record : table.records) {
      const std::string own = lower(text_of(record, Kind::model)), name = own.empty() ? text.title : own, words = joined(record);
      const auto size = input_size(words);
      if (const auto named = named_network(name, size ? size : input_size(text.whole))) check_counts(*named, record, seen, findings);
      if (imagenet && !rep_width(name) && !contains(words, "cifar")) check_reported(name, record, seen, findings);
    }
}

}  // namespace kinglet::card
