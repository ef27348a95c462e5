#include "flow/zoo_table.h"

#include <fmt/format.h>

#include "base/text.h"
#include "card/svg.h"
#include "flow/verify_published.h"

namespace kinglet::flow {

namespace {

using Cells = std::vector<std::string>;

const Cells kHead{"Model", "Publisher", "Data", "Input", "Backend", "Precision", "Top-1 (%)", "Top-5 (%)", "FLOPs as printed", "Parameters as printed (M)",
                  "Size as printed", "Inference (ms) as printed", "Device or boards", "SHA-1", "Kinglet's file", "Kinglet Top-1 (%)", "Kinglet Top-5 (%)", "Published file, run by Kinglet, Top-1 (%)", "Remark"};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string percent_or_dash(const std::optional<double>& percent) { return percent ? fmt::format("{:.2f}", *percent) : "-"; }

std::string with_interval(int64_t hits, int64_t n) {
  const auto ci = wilson95(hits, n);
  return fmt::format("{:.2f} [{:.2f}, {:.2f}], n = {}", 100.0 * static_cast<double>(hits) / static_cast<double>(n), 100 * ci.low, 100 * ci.high, n);
}

std::string short_sum(const std::string& sha1) { return sha1.empty() ? "-" : sha1.substr(0, 8); }

Cells cells(const TableRow& row) {
  const auto& f = row.file;
  const std::string device = f.device.empty() ? f.boards : f.device;
  return {row.model.title, or_dash(row.model.publisher), row.model.data_as_printed, row.model.input_as_printed, f.backend, f.precision, percent_or_dash(f.top1_percent),
          percent_or_dash(f.top5_percent), or_dash(f.flops_as_printed), or_dash(f.params_as_printed_m), or_dash(f.size_as_printed), or_dash(f.inference_ms),
          or_dash(device), short_sum(f.sha1), row.ours ? row.ours->file : "-", row.ours ? with_interval(row.ours->hits, row.ours->n) : "-",
          row.ours ? percent_or_dash(row.ours->top5_percent) : "-", f.measured ? with_interval(f.measured->hits, f.measured->n) : "-", row.remark()};
}

std::string markdown_line(const Cells& line) {
  std::string text = "|";
  for (const auto& cell : line) text += " " + cell + " |";
  return text + "\n";
}

std::string html_line(const Cells& line, const char* tag) {
  std::string text = "<tr>";
  for (const auto& cell : line) text += fmt::format("<{0}>{1}</{0}>", tag, card::escape_markup(cell));
  return text + "</tr>\n";
}

constexpr const char* kPage =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Published image classifiers and Kinglet's</title>\n"
    "<style>body{font:14px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse}th,td{border:1px solid #8886;padding:.3em .5em;"
    "text-align:left;vertical-align:top}th{position:sticky;top:0;background:Canvas}</style></head><body>\n<h1>Published image classifiers and Kinglet's</h1>\n"
    "<p>Columns up to SHA-1 are as printed by their publishers. Kinglet's figures are measured from the named file; intervals are Wilson's at 95 %.</p>\n<table>\n";

template <class X>
std::string plot(const std::vector<ZooModel>& models, const std::string& x_title, X x_of) {
  std::vector<card::Mark> marks;
  for (const auto& model : models)
    for (const auto& file : model.files)
      if (file.backend == "TFLite" && file.n > 0) marks.push_back({model.name, file.precision == "int8" ? 0u : 1u, {x_of(model, file), file.top1_percent()}});
  return card::standalone(card::scatter(marks, {"int8", "float32"}, {x_title, "top-1 [%] on each model's own test split", {}, {}, 720, 400}));
}

}  // namespace

std::string TableRow::state() const {
  if (!ours) return "not there yet";
  return model.not_comparable.empty() ? "measured" : "not comparable";
}

std::string TableRow::remark() const {
  const std::string why = model.not_comparable.empty() ? "" : "not comparable: " + model.not_comparable;
  const std::string wrong = file.fault.empty() ? "" : "; the published figure is " + file.fault;
  if (!ours) return "not there yet" + (why.empty() ? "" : "; and " + why) + wrong;
  return (why.empty() ? "measured" : why) + wrong;
}

std::vector<TableRow> zoo_table(bool measure, int threads, const ProgressCallback& progress) {
  const auto ours = zoo_models();
  std::vector<TableRow> rows;
  for (const auto& model : load::published_models()) {
    if (!model.in_tables) continue;
    for (const auto& file : model.files) {
      TableRow row{model, file, "", std::nullopt};
      std::string why;
      if (measure) row.file.measured = measure_published(model, file, why, threads, progress);
      if (!row.file.measured) row.file.measured = file.measured;
      for (const auto& mine : ours)
        if (mine.name == model.ours) {
          row.our_model = mine.name;
          if (const auto* match = mine.find(file.our_backend(), file.our_precision()); match && match->n > 0) row.ours = *match;
        }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::string table_as_markdown(const std::vector<TableRow>& rows) {
  std::string text = markdown_line(kHead) + markdown_line(Cells(kHead.size(), "---"));
  for (const auto& row : rows) text += markdown_line(cells(row));
  return text;
}

std::string table_as_html(const std::vector<TableRow>& rows) {
  std::string text = kPage + html_line(kHead, "th");
  for (const auto& row : rows) text += html_line(cells(row), "td");
  return text + "</table></body></html>\n";
}

Json table_as_json(const std::vector<TableRow>& rows) {
  Json list = Json::array();
  const auto percent = [](const std::optional<double>& p) { return p ? Json(*p) : Json(nullptr); };
  for (const auto& row : rows) {
    const auto& f = row.file;
    Json json{{"published", row.model.name}, {"model", row.model.title}, {"dataset", row.model.data_as_printed}, {"input", row.model.input_as_printed},
              {"backend", f.backend}, {"precision", f.precision}, {"top1_percent", percent(f.top1_percent)}, {"top5_percent", percent(f.top5_percent)},
              {"flops_as_printed", f.flops_as_printed}, {"params_as_printed_m", f.params_as_printed_m}, {"size_as_printed", f.size_as_printed},
              {"inference_ms", f.inference_ms}, {"device", f.device}, {"boards", f.boards}, {"url", f.url}, {"sha1", f.sha1}, {"state", row.state()}, {"remark", row.remark()}, {"not_comparable", row.model.not_comparable}};
    json["ours"] = nullptr;
    if (row.ours) {
      const auto ci = row.ours->ci95_percent();
      json["ours"] = {{"name", row.our_model}, {"file", row.ours->file}, {"sha256", row.ours->sha256}, {"n", row.ours->n}, {"top1", row.ours->top1_percent()},
                      {"top1_ci95", {ci.low, ci.high}}, {"top5", percent(row.ours->top5_percent)}};
    }
    json["published_file_measured"] = nullptr;
    if (f.measured) {
      const auto ci = wilson95(f.measured->hits, f.measured->n);
      json["published_file_measured"] = {{"data", f.measured->data}, {"n", f.measured->n}, {"top1", 100.0 * static_cast<double>(f.measured->hits) / static_cast<double>(f.measured->n)},
                                         {"top1_ci95", {100 * ci.low, 100 * ci.high}}};
    }
    list.push_back(json);
  }
  return {{"rows", list}};
}

namespace {

/// "82.20 ± 0.35 / 82.16 ± 0.36 (3)": mean and standard deviation of float32 and int8, and how many seeds.
std::string mean_over_seeds(const ZooModel& model) {
  const auto seeds = model.card.find("seeds");
  if (seeds == model.card.end() || !seeds->is_object()) return "-";
  const auto figure = [&](const char* precision) {
    const Json &mean = seeds->at("mean")[precision], &deviation = seeds->at("deviation")[precision];
    return mean.is_number() && deviation.is_number() ? fmt::format("{:.2f} ± {:.2f}", mean.get<double>(), deviation.get<double>()) : std::string("-");
  };
  return fmt::format("{} / {} ({})", figure("float32"), figure("int8"), seeds->at("runs").size());
}

}  // namespace

std::vector<std::vector<std::string>> list_cells(const std::vector<ZooModel>& models, bool markdown) {
  std::vector<Cells> rows{{"Model", "Data", "Published float / int8 (%)", "Float32 (%)", "Int8 (%)", "Mean over seeds, float / int8 (%)", "Parameters", "MACs", "Int8 file (bytes)", "Arena (bytes)", "Int8 latency (us, median)", "Measured on", "Recipe", "Published figures"}};
  const auto ours = [](const ZooFile* f) { return f && f->n ? with_interval(f->hits, f->n) : std::string("-"); };
  const auto link = [&](const std::string& text, const std::string& target) { return markdown ? fmt::format("[{}]({})", text, target) : text; };
  const auto published = load::published_models();
  for (const auto& model : models) {
    const ZooFile* q = model.find("TFLite", "int8");
    const std::string recipe = "models/" + model.name + "/recipe.yaml";
    const auto count = [&](int64_t ZooFile::*figure) { return q ? group_digits(q->*figure) : "-"; };
    rows.push_back({link(model.name, "models/" + model.name), model.dataset,
                    percent_or_dash(load::published_top1(published, model.name, "float32")) + " / " + percent_or_dash(load::published_top1(published, model.name, "int8")), ours(model.find("TFLite", "float32")), ours(q), mean_over_seeds(model),
                    group_digits(model.params), group_digits(model.macs), count(&ZooFile::bytes), count(&ZooFile::arena_bytes), q && q->median_us ? fmt::format("{:.1f}", *q->median_us) : "-",
                    q ? or_dash(q->machine) : "-", markdown ? link("recipe", recipe) : recipe, or_dash(comparison(model, published))});
  }
  return rows;
}

std::string list_as_markdown(const std::vector<ZooModel>& models) {
  const auto rows = list_cells(models, true);
  std::string text = markdown_line(rows[0]) + markdown_line(Cells(rows[0].size(), "---"));
  for (size_t i = 1; i < rows.size(); ++i) text += markdown_line(rows[i]);
  return text;
}

std::string plot_against_macs(const std::vector<ZooModel>& models) {
  return plot(models, "MACs of one picture", [](const ZooModel& m, const ZooFile&) { return static_cast<double>(m.macs); });
}

std::string plot_against_bytes(const std::vector<ZooModel>& models) {
  return plot(models, "bytes of the TensorFlow Lite file", [](const ZooModel&, const ZooFile& f) { return static_cast<double>(f.bytes); });
}

}  // namespace kinglet::flow
