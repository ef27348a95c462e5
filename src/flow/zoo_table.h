// The published tables again, each row beside what Kinglet measured with its own exported file of the same backend.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "load/published.h"
#include "flow/zoo_models.h"

namespace kinglet::flow {

struct TableRow {
  load::PublishedModel model;
  load::PublishedFile file;
  std::string our_model;        ///< empty where no network of ours stands beside it
  std::optional<ZooFile> ours;  ///< measured; nullopt: not there yet
  /// "measured", "not comparable" or "not there yet".
  std::string state() const;
  std::string remark() const;   ///< state in a sentence, with the reason
};

/// All published rows in their order. `measure` runs the fetched files whose pictures are on this machine; without it their
/// figures are those of models/published.json.
std::vector<TableRow> zoo_table(bool measure = false, int threads = 0, const ProgressCallback& progress = {});

std::string table_as_markdown(const std::vector<TableRow>& rows);
std::string table_as_html(const std::vector<TableRow>& rows);  ///< a whole page
Json table_as_json(const std::vector<TableRow>& rows);

/// The shipped models, a line each under a head: published figures and whether they may be compared, ours with intervals,
/// costs, sizes, latency with its machine, recipe. `markdown` makes model and recipe links.
std::vector<std::vector<std::string>> list_cells(const std::vector<ZooModel>& models, bool markdown = false);
std::string list_as_markdown(const std::vector<ZooModel>& models);

/// Top-1 of all zoo models' files against MACs, and against the file's bytes; int8 and float32 have a colour each.
std::string plot_against_macs(const std::vector<ZooModel>& models);
std::string plot_against_bytes(const std::vector<ZooModel>& models);

}  // namespace kinglet::flow
