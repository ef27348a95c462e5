#include <fmt/format.h>

#include "cli/verb.h"
#include "eval/accuracy.h"
#include "eval/compare.h"
#include "flow/deploy.h"
#include "flow/engine.h"

namespace kinglet::cli {

namespace {

/// A model with the engine that runs it; neither may move while the other lives.
struct Side {
  graph::Model model;
  eval::EnginePtr engine;
  Side(const Verb& verb, const std::string& path)
      : model(flow::deployable(verb.open(path))), engine(flow::make_engine(model, verb.numerics(), "session", verb.flags.threads)) {}
  eval::Contestant contestant() const { return {*engine, model}; }
};

std::string human(const eval::CompareReport& r) {
  return fmt::format("n          {}\nA top-1    {:.2f} %\nB top-1    {:.2f} %\nagree      {} ({:.2f} %)\nMcNemar    p = {:.4g}{}\nflips      {}\n", r.n, r.a_top1, r.b_top1,
                     r.agree, 100.0 * static_cast<double>(r.agree) / static_cast<double>(std::max<int64_t>(r.n, 1)), r.p_value,
                     r.p_value < 0.05 ? " (the difference is more than chance)" : " (no difference shown)", r.flips.size());
}

}  // namespace

void add_compare(Verb& verb) {
  struct Args {
    std::string a, b, data;
    int64_t limit = 0;
  };
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("A", args->a, "first model")->required();
  verb.app.add_option("B", args->b, "second model")->required();
  verb.app.add_option("--data", args->data, "data set, NAME[:SPLIT] or a path (default split: test)")->required();
  verb.app.add_option("--limit", args->limit, "only the first pictures");
  verb.examples("  kinglet compare float.tflite int8.tflite --data cifar10:test");
  verb.action = [&verb, args] {
    const auto dataset = data::open_dataset(args->data, "test");
    const Side a(verb, args->a), b(verb, args->b);
    eval::EvalOptions options;
    options.limit = args->limit;
    options.progress = verb.progress();
    const auto report = eval::compare(a.contestant(), b.contestant(), *dataset, options);
    for (const auto& warning : report.warnings) verb.warn()(warning);
    verb.print(eval::compare_report_to_json(report), human(report));
    return 0;
  };
}

}  // namespace kinglet::cli
