#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "eval/accuracy.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/picture_sheet.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string model, data, engine = "session", outputs, sheet, mistake_sheet;
  eval::EvalOptions options;
};

std::string optional_percent(const std::optional<double>& p) { return p ? fmt::format("{:.2f}", *p) : "-"; }

std::string class_table(const eval::EvalReport& report) {
  std::vector<std::vector<std::string>> rows{{"class", "n", "recall %", "precision %"}};
  for (const auto& c : report.class_figures()) rows.push_back({c.name, group_digits(c.n), optional_percent(c.recall_percent()), optional_percent(c.precision_percent())});
  return table(rows);
}

std::string human(const eval::EvalReport& report) {
  const auto ci = report.top1_ci95_percent();
  std::string text = fmt::format("top-1      {}  (95 % Wilson interval, n = {})\n", percent_with_interval(report.top1_percent(), ci.low, ci.high), group_digits(report.n));
  if (auto top5 = report.top5_percent()) text += fmt::format("top-5      {:.2f} %  (ties rank by the lower index)\n", *top5);
  text += fmt::format("engine     {}, {} threads, {:.0f} pictures/s, decoding and preprocessing included\n\n", report.engine, report.threads, report.images_per_s);
  if (report.classes.size() <= 40) text += class_table(report);
  if (!report.mistakes.empty()) text += "\nmost confident mistakes\n";
  for (const auto& m : report.mistakes) {
    const auto p = static_cast<size_t>(m.predicted);
    text += fmt::format("  {}: {} taken for {} ({:.3f})\n", m.id, report.classes[static_cast<size_t>(m.label)], m.predicted >= 0 && p < report.classes.size() ? report.classes[p] : "background", m.score);
  }
  return text;
}

}  // namespace

void add_eval(Verb& verb) {
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file")->required();
  verb.app.add_option("--data", args->data, "data set, NAME[:SPLIT] or a path (default split: test)")->required();
  verb.app.add_option("--limit", args->options.limit, "only the first pictures");
  verb.app.add_option("--class-offset", args->options.class_offset, "output index of the first class (default: 1 where one output more than classes stands for background)");
  verb.app.add_option("--mistakes", args->options.mistakes, "how many of the most confident mistakes to list (default 10)");
  verb.app.add_option("--raw-output", args->outputs, "also write every output, in picture order");
  verb.app.add_option("--sheet", args->sheet, "PNG of the first 40 pictures with the answers");
  verb.app.add_option("--mistake-sheet", args->mistake_sheet, "PNG of the most confident mistakes (as many as --mistakes; 40 where that is not given)");
  verb.app.add_option("--engine", args->engine, "session (default), portable, reference");
  verb.examples("  kinglet eval model.tflite --data cifar10:test\n  kinglet eval model.kinglet --data my_pictures/ --input order=bgr --json");
  verb.action = [&verb, args] {
    const auto model = flow::deployable(verb.open(args->model));
    const auto dataset = data::open_dataset(args->data, "test");
    auto engine = flow::make_engine(model, verb.numerics(), args->engine, verb.flags.threads);
    if (!args->mistake_sheet.empty() && verb.app.count("--mistakes") == 0) args->options.mistakes = 40;
    args->options.keep_outputs = !args->outputs.empty();
    args->options.progress = verb.progress();
    const auto report = eval::evaluate(*engine, model, *dataset, args->options);
    for (const auto& warning : report.warnings) verb.warn()(warning);
    if (!args->outputs.empty()) write_file(args->outputs, report.outputs);
    if (!args->sheet.empty()) flow::write_picture_sheet(report, *dataset, 40, args->sheet);
    if (!args->mistake_sheet.empty()) flow::write_mistake_sheet(report, *dataset, args->mistake_sheet);
    verb.print(eval_report_to_json(report), verb.flags.json ? "" : human(report));
    return 0;
  };
}

}  // namespace kinglet::cli
