#include <fmt/format.h>

#include "cli/verb.h"
#include "eval/latency.h"
#include "flow/deploy.h"

namespace kinglet::cli {

namespace {

std::string human(const eval::BenchReport& r) {
  std::string text = fmt::format("one picture  min {:.1f} us, median {:.1f} us, p95 {:.1f} us  (n = {}, {} thread, {})\n", r.min_us, r.median_us, r.p95_us, r.runs, r.threads, r.isa);
  text += fmt::format("machine      {}\nwork         {} MACs, {:.1f} GMAC/s", r.machine, group_digits(r.macs), r.gmacs_per_s());
  if (auto share = r.peak_share()) text += fmt::format(", {:.0f} % of the {:.0f} GMAC/s measured as this thread's peak", 100 * *share, *r.peak_gmacs_per_s);
  text += fmt::format("\narena        {} bytes, constants {} bytes\n", group_digits(r.arena_bytes), group_digits(r.constant_bytes));
  if (r.layers.empty()) return text;
  std::vector<std::vector<std::string>> rows{{"layer", "kernel", "output", "MACs", "median us", "GMAC/s"}};
  for (const auto& l : r.layers)
    rows.push_back({l.node, l.kernel, l.shape, group_digits(l.macs), fmt::format("{:.1f}", l.median_us), l.median_us > 0 ? fmt::format("{:.1f}", static_cast<double>(l.macs) / l.median_us / 1e3) : "-"});
  return text + "\n" + table(rows);
}

}  // namespace

void add_bench(Verb& verb) {
  struct Args {
    std::string model;
    bool portable = false;
    eval::BenchOptions options;
  };
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file, or an architecture")->required();
  verb.app.add_option("-n,--runs", args->options.runs, "counted runs (default 200)")->check(CLI::PositiveNumber);
  verb.app.add_flag("--layers", args->options.layers, "time of each layer");
  verb.app.add_flag("--portable", args->portable, "the generic kernels that the printed C uses");
  verb.examples("  kinglet bench model.tflite --layers\n  KINGLET_FORCE_ISA=avx2 kinglet bench model.tflite");
  verb.action = [&verb, args] {
    if (verb.flags.threads > 1) verb.warn()("a single picture is computed on one thread; `eval` and `run` compute many pictures on more");
    const auto model = flow::deployable(verb.open(args->model));
    args->options.seed = verb.flags.seed;
    const auto target = args->portable ? plan::portable_target(verb.numerics()) : plan::host_target(verb.numerics());
    const auto report = eval::bench(plan::make_plan(model.graph, target), args->options);
    verb.print(eval::bench_report_to_json(report), human(report));
    return 0;
  };
}

}  // namespace kinglet::cli
