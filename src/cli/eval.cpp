#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "eval/accuracy.h"
#include "eval/doctor.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/picture_sheet.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string model, data, engine = "session", outputs, sheet, mistake_sheet;
  eval::EvalOptions options;
  eval::DoctorOptions doctor;
  bool ask_doctor = false;
};

std::string optional_percent(const std::optional<double>& p) { return p ? fmt::format("{:.2f}", *p) : "-"; }

std::string class_table(const eval::EvalReport& report) {
  std::vector<std::vector<std::string>> rows{{"class", "n", "recall %", "precision %"}};
  for (const auto& c : report.class_figures()) rows.push_back({c.name, group_digits(c.n), optional_percent(c.recall_percent()), optional_percent(c.precision_percent())});
  return table(rows);
}

std::string human(const eval::EvalReport& report) {
  const auto ci = report.top1_ci95_percent();
  std::string text = fmt::format("data       {}, split {}\n", report.data, report.split);
  text += fmt::format("top-1      {}  (95 % Wilson interval, n = {})\n", percent_with_interval(report.top1_percent(), ci.low, ci.high), group_digits(report.n));
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

std::string human(const eval::DoctorReport& report) {
  std::vector<std::vector<std::string>> rows{{"round", "what", "tried", "top-1 %", "95 % interval", "p", "better for sure"}};
  for (const auto& t : report.tries) {
    const auto ci = report.ci95_percent(t);
    rows.push_back({std::to_string(t.round), t.factor, t.change, fmt::format("{:.1f}", report.top1_percent(t)), fmt::format("{:.1f} to {:.1f}", ci.low, ci.high),
                    t.round == 0 ? "" : fmt::format("{:.2g}", t.p_value), t.better ? "yes" : ""});
  }
  std::string text = table(rows) + "\n" + report.verdict + "\n";
  if (!report.ties.empty()) text += fmt::format("As good, as far as these pictures tell: {}\n", fmt::join(report.ties, "; "));
  if (!report.flag.empty()) text += fmt::format("Mended by: --input {}\n", report.flag);
  return text;
}

int run_doctor(const Verb& verb, const Args& args, eval::Engine& engine, const graph::Model& model, const data::Dataset& dataset) {
  auto options = args.doctor;
  options.seed = verb.flags.seed;
  options.class_offset = args.options.class_offset;
  options.progress = verb.progress();
  const auto report = eval::diagnose(engine, model, dataset, verb.flags.input, options);
  for (const auto& warning : report.warnings) verb.warn()(warning);
  const auto& given = report.tries.front();
  const auto ci = report.ci95_percent(given);
  const Json json{{"n", report.n}, {"top1", report.top1_percent(given)}, {"top1_ci95", {ci.low, ci.high}}, {"doctor", eval::doctor_report_to_json(report)}};
  verb.print(json, human(report));
  return 0;
}

}  // namespace

void add_eval(Verb& verb) {
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file")->required();
  verb.app.add_option("--data", args->data, "data set, NAME[:SPLIT] or a path (default split: test)")->required();
  verb.app.add_option("--limit", args->options.limit, "only the first pictures")->check(CLI::NonNegativeNumber);
  verb.app.add_option("--class-offset", args->options.class_offset, "output index of the first class (default: 1 where one output more than classes stands for background)");
  verb.app.add_option("--mistakes", args->options.mistakes, "how many of the most confident mistakes to list (default 10)");
  verb.app.add_option("--raw-output", args->outputs, "also write every output, in picture order");
  verb.app.add_option("--sheet", args->sheet, "PNG of the first 40 pictures with the answers");
  verb.app.add_option("--mistake-sheet", args->mistake_sheet, "PNG of the most confident mistakes (as many as --mistakes; 40 where that is not given)");
  verb.app.add_option("--engine", args->engine, "session (default), portable, reference");
  auto* doctor = verb.app.add_flag("--doctor", args->ask_doctor, "try the usual preprocessing mistakes on some of the pictures and name what fits best");
  for (const char* other : {"--limit", "--mistakes", "--raw-output", "--sheet", "--mistake-sheet"}) doctor->excludes(other);
  verb.app.add_option("--doctor-n", args->doctor.n, "how many pictures the doctor looks at (default 400)")->check(CLI::Range(20, 1000000));
  verb.examples("  kinglet eval model.tflite --data cifar10:test\n  kinglet eval model.tflite --data my_pictures/ --doctor    # is it BGR? 0..1 or -1..1? cropped?\n  kinglet eval model.kinglet --data my_pictures/ --input order=bgr --json");
  verb.action = [&verb, args] {
    const auto model = flow::deployable(verb.open(args->model));
    const auto dataset = data::open_dataset(args->data, "test");
    auto engine = flow::make_engine(model, verb.numerics(), args->engine, verb.flags.threads);
    if (args->ask_doctor) return run_doctor(verb, *args, *engine, model, *dataset);
    if (!args->mistake_sheet.empty() && verb.app.count("--mistakes") == 0) args->options.mistakes = 40;
    args->options.keep_outputs = !args->outputs.empty();
    args->options.progress = verb.progress();
    const auto report = eval::evaluate(*engine, model, *dataset, args->options);
    for (const auto& warning : report.warnings) verb.warn()(warning);
    if (!args->outputs.empty()) write_file(args->outputs, report.outputs);
    if (!args->sheet.empty()) flow::write_picture_sheet(report, *dataset, 40, args->sheet);
    if (!args->mistake_sheet.empty() && report.mistakes.empty()) verb.warn()("there is no mistake to show; " + args->mistake_sheet + " is not written");
    else if (!args->mistake_sheet.empty()) flow::write_mistake_sheet(report, *dataset, args->mistake_sheet);
    verb.print(eval_report_to_json(report), verb.flags.json ? "" : human(report));
    return 0;
  };
}

}  // namespace kinglet::cli
