#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "card/lint_text.h"

namespace kinglet::card {

namespace {

constexpr double kQuantizationPoints = 5;  ///< more than a sound conversion of a convolutional network to int8 costs

std::optional<double> percent(const Field& field) {
  const auto figure = quantity(field);
  if (!figure) return std::nullopt;
  const bool fraction = figure->value < 1 && !contains(field.text, "%");
  return figure->value * (fraction ? 100 : 1);
}

template <class Check>
void each_field(const Table& table, Kind kind, Check check) {
  for (const auto& record : table.records)
    for (const auto& field : record)
      if (field.kind() == kind) check(record, field);
}

void lint_fractions(const Table& table, Findings& findings) {
  std::set<std::string> reported;
  each_field(table, Kind::top1, [&](const Record&, const Field& field) {
    const auto figure = quantity(field);
    if (figure && figure->value > 0 && figure->value < 1 && !contains(field.text, "%") && reported.insert(field.head).second)
      findings.add(field.line, "'" + field.text + "' under '" + field.head + "' is a fraction where others print percent", "print percent with n");
  });
}

bool is_one_time_for_two(const Record& a, const Record& b) {
  const auto differs = [&](Kind kind) { return text_of(a, kind) != text_of(b, kind); };
  return differs(Kind::backend) || differs(Kind::precision);
}

void lint_times(const Table& table, Findings& findings) {
  std::map<std::string, std::vector<const Record*>> by_time;
  each_field(table, Kind::time, [&](const Record& record, const Field& field) {
    if (quantity(field)) by_time[field.head + " " + field.text].push_back(&record);
    const auto device = lower(text_of(record, Kind::device));
    if (quantity(field) && by_time[field.head + " " + field.text].size() == 1 && (contains(device, " and ") || contains(device, " + ") || contains(device, " & ")))
      findings.add(field.line, "one time, '" + field.text + "', for several devices: " + device, "give each device its own");
  });
  for (const auto& [time, records] : by_time) {
    const bool repeats = std::any_of(records.begin(), records.end(), [&](const Record* r) { return is_one_time_for_two(*r, *records[0]); });
    if (repeats) findings.add(find(*records[0], Kind::time)->line, fmt::format("the same time, '{}', on {} rows of different backends or precisions", text_of(*records[0], Kind::time), records.size()), "measure each file itself");
  }
}

void lint_counts(const Table& table, Findings& findings) {
  std::set<std::string> reported;
  each_field(table, Kind::params, [&](const Record&, const Field& field) {
    const auto figure = quantity(field);
    if (figure && (!figure->whole || figure->scale() > 1) && reported.insert(field.head).second)
      findings.add(field.line, "'" + field.text + "' under '" + field.head + "' is no whole count", "print the count: rounded millions and megabytes look alike");
  });
  each_field(table, Kind::operations, [&](const Record&, const Field& field) {
    const auto figure = quantity(field);
    if (figure && (figure->unit == "mb" || figure->unit == "kb" || figure->unit == "b") && reported.insert(field.head).second)
      findings.add(field.line, "'" + field.text + "' under '" + field.head + "' counts operations in bytes", "say MACs or FLOPs = 2 x MACs");
  });
}

/// A file holds every parameter: 4 bytes each in float32, 1 in int8. Both figures are given the benefit of their rounding.
void lint_size(const Record& record, const Field& field, const Field& params_field, Findings& findings) {
  const auto size = quantity(field), params = quantity(params_field);
  if (!size || !params || size->unit.empty()) return;
  const std::string precision = precision_of(record, field);
  const double least = (params->value - params->half_step) * params->scale() * (precision == "float32" ? 4 : 1), most = (size->value + size->half_step) * size->scale();
  const bool same = params->scale() > 1 && std::abs(params->value * params->scale() - size->value * size->scale()) <= 0.02 * size->value * size->scale();
  if (same && precision != "int8")
    findings.add(params_field.line, "'" + params_field.text + "' under '" + params_field.head + "' is the file's size in megabytes, not a count of parameters", "print the count");
  else if (most < least)
    findings.add(field.line, fmt::format("'{}' cannot hold {} parameters{}", field.text, params_field.text, precision == "float32" ? " of 4 bytes" : ""), "say which megabyte is meant, and whether the deployed graph's parameters are counted");
}

void lint_sizes(const Table& table, Findings& findings) {
  each_field(table, Kind::size, [&](const Record& record, const Field& field) {
    if (const Field* params = find(record, Kind::params)) lint_size(record, field, *params, findings);
  });
}

/// Within one model.
void lint_quantization(const Table& table, Findings& findings) {
  if (table.is_quoted()) return;
  std::map<std::string, double> best;
  each_field(table, Kind::top1, [&](const Record& record, const Field& field) {
    if (const auto top1 = percent(field); top1 && precision_of(record, field) == "float32") {
      auto& highest = best[text_of(record, Kind::model)];
      highest = std::max(highest, *top1);
    }
  });
  each_field(table, Kind::top1, [&](const Record& record, const Field& field) {
    const auto top1 = percent(field);
    const auto floats = best.find(text_of(record, Kind::model));
    if (!top1 || floats == best.end() || precision_of(record, field) != "int8" || floats->second - *top1 <= kQuantizationPoints) return;
    findings.add(field.line, fmt::format("int8 lies {:.1f} points below float32: more than quantization of such a network costs", floats->second - *top1),
                 "look for a fault of the evaluation (colour order, lossy copies, input range): kinglet eval --doctor");
  });
}

}  // namespace

void lint_figures(const CardText& text, Findings& findings) {
  for (const auto& table : text.tables)
    for (const auto lint : {lint_fractions, lint_times, lint_counts, lint_sizes, lint_quantization}) lint(table, findings);
}

}  // namespace kinglet::card
