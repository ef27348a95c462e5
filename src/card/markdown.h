// The tables of a Markdown text as records, whichever way round they are written, and what a head says of its figures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace kinglet::card {

/// What a column (or the line of a two-column table) holds, by the words of its head.
enum class Kind { other, backend, precision, model, device, top1, top5, time, params, operations, macs, size };
Kind kind_of(const std::string& head);

struct Field {
  std::string head, text;
  int line;  ///< 1 is the text's first
  Kind kind() const { return kind_of(head); }
};

/// One row of a table. A table of two columns whose second head names no kind ("Information | Value") is one record.
using Record = std::vector<Field>;
/// The record's first field of that kind; nullptr when there is none.
const Field* find(const Record& record, Kind kind);
std::string text_of(const Record& record, Kind kind);

struct Table {
  std::vector<std::string> head;
  std::vector<Record> rows;     ///< as written: one a line, fields under the heads
  std::vector<Record> records;  ///< the same, or one record of all lines
  /// Quoted from elsewhere: a column names the source, and the figures are not the card's own.
  bool is_quoted() const;
};

/// Cells of one table line, with outer pipes or without; empty for a line without a pipe.
std::vector<std::string> table_cells(const std::string& line);
std::vector<Table> markdown_tables(const std::string& text);

/// A cell's leading figure with the unit behind it or, where there is none, of the head: "58.5 M", "22<sup>1</sup>", "(M)".
struct Quantity {
  double value;
  double half_step;  ///< half of the last digit printed
  std::string unit;  ///< lower case; empty where none is stated
  bool whole;        ///< printed without a fraction
  /// 1e6 for "m" and "mb", 1e3 for "k", 1e9 for "g", else 1.
  double scale() const;
};
std::optional<Quantity> quantity(const Field& field);

/// "float32" or "int8" as the field's head, else the record, says; empty where neither does.
std::string precision_of(const Record& record, const Field& field);

/// Without blanks, emphasis and code marks at both ends.
std::string trim(const std::string& text);
bool contains(const std::string& text, std::string_view part);

}  // namespace kinglet::card
