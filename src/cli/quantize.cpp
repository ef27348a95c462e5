#include <fmt/format.h>

#include "base/error.h"
#include "cli/verb.h"
#include "data/dataset.h"
#include "flow/deploy.h"
#include "flow/model_files.h"
#include "quantize/blame.h"
#include "quantize/quantize.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string model, data, out, io = "int8", observer;
  quantize::Options options;
  int fold_pictures = 100, blame_pictures = 0;
};

std::string human(const quantize::Report& report, const quantize::FoldProof& proof, const std::string& out) {
  std::vector<std::vector<std::string>> rows{{"layer", "operator", "scale", "zero", "min", "max", "clipped %", "SQNR dB"}};
  for (const auto& l : report.layers)
    rows.push_back({l.name, l.op, fmt::format("{:.5g}", l.scale), std::to_string(l.zero_point), fmt::format("{:.3f}", l.min), fmt::format("{:.3f}", l.max),
                    fmt::format("{:.3f}", 100 * l.clipped_share), fmt::format("{:.1f}", l.sqnr_db)});
  std::string text = table(rows) + "\n";
  if (proof.n > 0) text += fmt::format("folded: largest output difference {:.2g}, {} label flips over {} pictures\n", proof.max_output_difference, proof.label_flips, proof.n);
  return text + fmt::format("{} quantization, calibrated on {} pictures of {}; wrote {}\n", report.method, report.calibration_n, report.calibration_data, out);
}

/// What a user can do about the layer that costs most.
std::string mend(const quantize::BlameRow& worst, const quantize::Options& options) {
  if (worst.op == "fully_connected" && !options.per_channel_fc) return "--per-channel-fc gives each of its outputs a weight scale";
  if (options.observer != quantize::Observer::minmax) return "--observer minmax keeps its largest values; `quantize: qat` in a recipe trains with the rounding";
  return "--observer mse clips its rare values; `quantize: qat` in a recipe trains with the rounding";
}

std::string human(const quantize::Blame& blame, const quantize::Options& options) {
  std::vector<std::vector<std::string>> rows{{"layer", "operator", "agree % alone", "top-1 % alone", "agree % without", "top-1 % without"}};
  for (const auto& r : blame.rows)
    rows.push_back({r.name, r.op, fmt::format("{:.2f}", 100 * r.agree_only), fmt::format("{:.2f}", 100 * r.top1_only), fmt::format("{:.2f}", 100 * r.agree_without), fmt::format("{:.2f}", 100 * r.top1_without)});
  std::string text = fmt::format("\nblame, over {} pictures: top-1 {:.2f} % in float, {:.2f} % with all layers rounded, {:.2f} % of answers agree; worst first\n", blame.n,
                                 100 * blame.top1_float, 100 * blame.top1_all, 100 * blame.agree_all) + table(rows);
  if (!blame.rows.empty() && blame.agree_all < 1) text += fmt::format("to mend: {} costs most; {}\n", blame.rows[0].name, mend(blame.rows[0], options));
  return text;
}

}  // namespace

void add_quantize(Verb& verb) {
  auto args = std::make_shared<Args>();
  verb.app.add_option("MODEL", args->model, "float model, folded or not")->required();
  verb.app.add_option("--data", args->data, "calibration pictures, NAME[:SPLIT] or a path (default split: train; a test split is refused)")->required();
  verb.app.add_option("-o,--output", args->out, "file to write (.kinglet or .tflite)")->required();
  verb.app.add_option("--io", args->io, "type of inputs and outputs: int8 (default), uint8, float32");
  verb.app.add_option("--observer", args->observer, fmt::format("range of activations: minmax, percentile, mse (default {})", quantize::observer_name(quantize::Options{}.observer)));
  verb.app.add_option("--percentile", args->options.percentile, "share of observed values kept on either side (default 99.99)")->check(CLI::Range(50.0, 100.0));
  verb.app.add_option("--calibration-n", args->options.calibration_n, "calibration pictures (default 512)")->check(CLI::PositiveNumber);
  verb.add_open_flags();
  verb.app.add_flag("--per-channel-fc", args->options.per_channel_fc, "one weight scale an output of fully connected layers");
  verb.app.add_flag("!--no-bias-correction", args->options.bias_correction, "leave the biases as they are");
  verb.app.add_option("--blame", args->blame_pictures, "round each layer alone, and all but it, on so many pictures: which one costs the accuracy")->check(CLI::PositiveNumber);
  verb.examples("  kinglet quantize m.kinglet --data cifar10:train -o m8.kinglet --blame 500\n  kinglet quantize runs/cifar10_rep035/best.kinglet --data cifar10:train -o m.kinglet\n  kinglet quantize m.kinglet --data my_pictures/ --io uint8 -o m_u8.tflite");
  verb.action = [&verb, args] {
    auto model = verb.open(args->model);
    const auto pictures = data::open_dataset(args->data, "train");
    args->options.io = quantize::io_from_name(args->io);
    if (!args->observer.empty()) args->options.observer = quantize::observer_from_name(args->observer);
    if (verb.app.count("--percentile") > 0 && args->options.observer != quantize::Observer::percentile)
      throw Error("--percentile", "is of the observer percentile", "add --observer percentile", ErrorKind::usage);
    args->options.seed = verb.flags.seed;
    args->options.threads = verb.flags.threads;
    quantize::FoldProof proof;
    if (flow::has_training_operators(model.graph)) model = flow::fold_with_proof(model, *pictures, args->fold_pictures, proof);
    const auto result = quantize::post_training(model, *pictures, args->options, verb.progress());
    flow::export_model(result.model, flow::format_of(args->out), args->out);
    Json json = quantize::report_to_json(result.report);
    json["file"] = args->out;
    json["fold_proof"] = proof.n > 0 ? quantize::proof_to_json(proof) : Json(nullptr);
    std::string text = human(result.report, proof, args->out);
    if (args->blame_pictures > 0) {
      const auto blame = quantize::blame(model, *pictures, *pictures, args->blame_pictures, args->options, verb.progress());
      json["blame"] = quantize::blame_to_json(blame);
      text += human(blame, args->options);
    }
    verb.print(json, text);
    return 0;
  };
}

}  // namespace kinglet::cli
