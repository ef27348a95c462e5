// The published tables again, each row beside what Kinglet measured with its own exported file of the same backend.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow/published.h"
#include "flow/zoo_models.h"

namespace kinglet::flow {

struct TableRow {
  PublishedModel model;
  PublishedFile file;
  std::string our_model;        ///< empty where no network of ours stands beside it
  std::optional<ZooFile> ours;  ///< measured; nullopt: not there yet
  /// "measured", "not comparable" or "not there yet".
  std::string state() const;
  std::string remark() const;   ///< state in a sentence, with the reason
};

/// All published rows in their order.
std::vector<TableRow> zoo_table();

std::string table_as_markdown(const std::vector<TableRow>& rows);
std::string table_as_html(const std::vector<TableRow>& rows);  ///< a whole page
Json table_as_json(const std::vector<TableRow>& rows);

/// The shipped models, a line each: published figures, ours with intervals, costs, sizes, recipe.
std::string list_as_markdown(const std::vector<ZooModel>& models);

/// Top-1 of all zoo models' files against MACs, and against the file's bytes; int8 and float32 have a colour each.
std::string plot_against_macs(const std::vector<ZooModel>& models);
std::string plot_against_bytes(const std::vector<ZooModel>& models);

}  // namespace kinglet::flow
