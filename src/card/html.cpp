#include <fmt/format.h>

#include "card/card.h"
#include "card/figures.h"
#include "card/svg.h"

namespace kinglet::card {

namespace {

constexpr const char* kStyle = R"(:root{color-scheme:light dark;--paper:#fff;--panel:#f8fafc;--ink:#1f2933;--faint:#64748b;--rule:#e2e8f0;--accent:#2563eb}
@media(prefers-color-scheme:dark){:root{--paper:#0f141b;--panel:#161d27;--ink:#e5e9f0;--faint:#94a3b8;--rule:#2b3442;--accent:#60a5fa}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1060px;margin:0 auto;padding:40px 24px 64px}h1{font-size:30px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:18px;margin:0 0 14px}
p{margin:0 0 12px;max-width:75ch}.faint{color:var(--faint)}section{margin-top:36px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:12px;margin-top:24px}
.figure{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:14px 16px}.figure b{display:block;font-size:24px;line-height:1.25;font-variant-numeric:tabular-nums}
.figure span{color:var(--faint);font-size:13px}.scroll{overflow-x:auto;border:1px solid var(--rule);border-radius:10px;margin-bottom:14px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:8px 12px;border-bottom:1px solid var(--rule);vertical-align:top}
th{background:var(--panel);color:var(--faint);font-weight:600;font-size:12.5px}tr:last-child td{border-bottom:0}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:24px;align-items:start}.two>*{min-width:0}ul{margin:0 0 12px;padding-left:20px}li{margin-bottom:5px;max-width:85ch}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:14px 16px;overflow-x:auto;font:13px/1.5 ui-monospace,monospace}
td.mono{font:12.5px/1.6 ui-monospace,monospace;overflow-wrap:anywhere}footer{margin-top:48px;color:var(--faint);font-size:13px}
)";

std::string table_html(const Table& table) {
  if (table.rows.empty()) return "";
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const auto& head : table.head) html += "<th>" + escape_markup(head) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const auto& cell : row) html += (cell.size() == 64 && cell.find(' ') == std::string::npos ? "<td class=\"mono\">" : "<td>") + escape_markup(cell) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "<section><h2>" + escape_markup(title) + "</h2>\n" + body + "</section>\n";
}

std::string list_html(const std::vector<std::string>& sentences) {
  std::string html;
  for (const auto& s : sentences) html += "<li>" + escape_markup(s) + "</li>\n";
  return html.empty() ? "" : "<ul>\n" + html + "</ul>\n";
}

std::string figure(const std::string& value, const std::string& caption) {
  return "<div class=\"figure\"><b>" + escape_markup(value) + "</b><span>" + escape_markup(caption) + "</span></div>\n";
}

std::string headline(const CardInput& input) {
  const auto& row = detail_row(input);
  std::string html;
  if (const auto* report = detail(input)) {
    const Interval ci = report->top1_ci95_percent();
    html += figure(percent_cell(report->top1_percent()) + " %", fmt::format("Top-1, {} {}; {:.2f} to {:.2f} at 95 %, n = {}", row.backend, row.precision, ci.low, ci.high, count_cell(report->n)));
    if (auto top5 = report->top5_percent()) html += figure(percent_cell(top5) + " %", "Top-5");
  }
  if (row.latency) html += figure(time_text(row.latency->median_us), fmt::format("median of {} runs, {} thread{}, {}", row.latency->runs, row.latency->threads, row.latency->threads == 1 ? "" : "s", row.latency->isa));
  if (input.model.macs) html += figure(count_cell(input.model.macs), "MACs a picture");
  if (input.model.params) html += figure(count_cell(input.model.params), "parameters, deployed");
  html += figure(count_cell(row.bytes), "bytes, " + row.file);
  return "<div class=\"figures\">\n" + html + "</div>\n";
}

std::string confusion_html(const CardInput& input) {
  const auto* report = detail(input);
  if (!report) return "";
  const auto& row = detail_row(input);
  std::vector<Bar> bars;
  for (const auto& c : report->class_figures()) bars.push_back({c.name, c.recall_percent()});
  return fmt::format("<p class=\"faint\">{} {}, {} pictures. A row is a true class; its cells add up to all pictures of that class.</p>\n<div class=\"two\"><div>{}</div><div><p>Recall of each class</p>{}</div></div>\n",
                     escape_markup(row.backend), escape_markup(row.precision), count_cell(report->n), heatmap(report->confusion, report->classes), bar_chart(bars, 100, " %"));
}

std::string mistakes_html(const CardInput& input) {
  const auto* report = detail(input);
  if (!report) return "";
  Table table{{"Picture", "True class", "Predicted", "Score"}, {}};
  for (const auto& m : report->mistakes)
    table.rows.push_back({m.id, report->classes.at(static_cast<size_t>(m.label)), m.predicted < 0 ? "background" : report->classes.at(static_cast<size_t>(m.predicted)), short_number(m.score, 4)});
  return table_html(table);
}

Series curve_of(const CardInput& input, const char* name, std::optional<double> CurvePoint::*field) {
  Series series{name, {}};
  for (const auto& p : input.curve)
    if (p.*field) series.points.push_back({static_cast<double>(p.epoch), *(p.*field)});
  return series;
}

std::string chart(std::vector<Series> series, const std::string& y_title) {
  std::erase_if(series, [](const Series& s) { return s.points.empty(); });
  return series.empty() ? "" : "<div>" + line_chart(series, {"epoch", y_title, {}, {}}) + "</div>\n";
}

std::string curves_html(const CardInput& input) {
  const std::string charts = chart({curve_of(input, "training", &CurvePoint::train_loss)}, "loss") +
                             chart({curve_of(input, "training", &CurvePoint::train_top1), curve_of(input, "validation", &CurvePoint::val_top1)}, "top-1 [%]");
  return charts.empty() ? "" : "<div class=\"two\">" + charts + "</div>\n";
}

std::string commands_html(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += escape_markup(line) + "\n";
  return text.empty() ? "" : "<pre>" + text + "</pre>\n";
}

}  // namespace

std::string html_text(const CardInput& input) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
                     escape_markup(input.model.name) + "</title>\n<style>\n" + kStyle + plot_style() + "</style></head>\n<body><main>\n<header><h1>" +
                     escape_markup(input.model.name) + "</h1>\n<p class=\"faint\">" + escape_markup(input.model.architecture) + "</p>\n";
  if (!input.model.description.empty()) html += "<p>" + escape_markup(input.model.description) + "</p>\n";
  html += headline(input) + "</header>\n";
  html += section("Benchmark", table_html(benchmark_table(input)) + list_html(conditions(input)));
  html += section("Network", table_html(network_table(input)) + table_html(cost_table(input)));
  html += section("Confusion", confusion_html(input));
  html += section("Most confident mistakes", mistakes_html(input));
  html += section("Training", curves_html(input) + table_html(training_table(input)));
  html += section("Published figures", table_html(published_table(input)));
  html += section("Seeds", table_html(seed_table(input)) + table_html(spread_table(input)) + list_html(seed_sentences(input)));
  html += section("Data", table_html(data_table(input)));
  html += section("Proofs", list_html(input.proofs));
  html += section("Limits, and what would raise the figures", list_html(limits(input)));
  html += section("How to reproduce", commands_html(input.reproduce));
  html += section("Files", table_html(file_table(input)));
  html += section("Licences", table_html(licence_table(input)));
  html += "<footer>Made by Kinglet" + (input.tool_version.empty() ? "" : " " + escape_markup(input.tool_version)) + (input.date.empty() ? "" : " on " + escape_markup(input.date)) +
          "; card.json holds every figure.</footer>\n</main></body>\n</html>\n";
  return html;
}

}  // namespace kinglet::card
