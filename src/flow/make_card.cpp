#include "flow/make_card.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "eval/latency.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/golden.h"
#include "flow/how_to_reproduce.h"
#include "flow/model_files.h"
#include "flow/provenance.h"
#include "load/open_model.h"
#include "load/published.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

struct Backend {
  const char *name, *format, *suffix;
};

/// The files a model is shipped as: TensorFlow Lite in either precision, ONNX and PyTorch in float.
std::vector<Backend> backends(bool integer) {
  if (integer) return {{"TFLite", "tflite", "_int8.tflite"}};
  return {{"TFLite", "tflite", "_float.tflite"}, {"ONNX", "onnx", ".onnx"}, {"PyTorch", "pth", ".pth"}};
}

card::BackendRow measured_row(const graph::Model& model, const Backend& backend, const std::string& name, const data::Dataset& pictures, const fs::path& folder,
                              const CardOptions& options) {
  const auto file = export_model(model, backend.format, folder / (name + backend.suffix));
  const auto opened = deployable(load::open_model(file.path.string()));
  card::BackendRow row{backend.name, is_int8(model.graph) ? "int8" : "float32", file.path.filename().string(), static_cast<int64_t>(file.bytes), file.sha256, {}, {}};
  row.accuracy = evaluate(opened, pictures, options.numerics, options.threads, options.progress);
  row.latency = eval::bench(plan::make_plan(opened.graph, plan::host_target(options.numerics)));
  row.arena_bytes = plan::make_plan(opened.graph, plan::portable_target(options.numerics)).arena_bytes;
  return row;
}

void add_seed_figure(std::vector<card::SeedRun>& runs, const graph::Model& model, const eval::EvalReport& report) {
  const auto seed = optional_at<uint64_t>(model.provenance.value("training", Json()), "seed");
  if (!seed) throw Error(model.name, "does not say which seed it was trained with", "give runs of `kinglet train`", ErrorKind::usage);
  auto run = std::find_if(runs.begin(), runs.end(), [&](const card::SeedRun& r) { return r.seed == *seed; });
  if (run == runs.end()) run = runs.insert(runs.end(), card::SeedRun{*seed, {}, {}});
  auto& top1 = is_int8(model.graph) ? run->int8_top1 : run->float_top1;
  if (top1) throw Error("--seed-run", fmt::format("seed {} stands twice in {}", *seed, is_int8(model.graph) ? "int8" : "float32"), "give runs of different seeds", ErrorKind::usage);
  top1 = report.top1_percent();
}

/// The card's own seed first.
std::vector<card::SeedRun> seed_runs(const std::vector<graph::Model>& models, const std::vector<card::BackendRow>& rows, const data::Dataset& pictures, const CardOptions& options) {
  std::vector<card::SeedRun> runs;
  if (options.seed_runs.empty()) return runs;
  for (const auto& model : models)
    for (const auto& row : rows)
      if (row.backend == "TFLite" && (row.precision == "int8") == is_int8(model.graph)) add_seed_figure(runs, model, *row.accuracy);
  for (const auto& model : options.seed_runs) add_seed_figure(runs, model, evaluate(model, pictures, options.numerics, options.threads, options.progress));
  return runs;
}

/// What others printed of the same network.
std::vector<card::PublishedFigure> published_figures(const std::string& name) {
  std::vector<card::PublishedFigure> figures;
  for (const auto& model : load::published_models())
    if (model.ours == name)
      for (const auto& file : model.files)
        figures.push_back({file.our_backend(), file.our_precision(), file.top1_percent, file.top5_percent,
                           !file.url.empty() ? file.url : model.references.empty() ? "models/published.json" : model.references[0], model.not_comparable});
  return figures;
}

std::vector<std::string> proofs(const std::vector<graph::Model>& models, const std::vector<card::BackendRow>& rows, const std::string& split) {
  std::vector<std::string> list;
  for (const auto& model : models)
    if (const Json p = model.provenance.value("fold_proof", Json()); p.is_object()) {
      list.push_back(fmt::format("Folding the training graph changed no output by more than {:.2g} and {} labels, over {} pictures.", json_at<double>(p, "max_output_difference", "provenance"),
                                 json_at<int64_t>(p, "label_flips", "provenance"), json_at<int64_t>(p, "n", "provenance")));
      break;
    }
  if (rows.size() > 1 && rows[0].accuracy && rows[1].accuracy) {
    const auto &a = rows[0].accuracy->predictions, &b = rows[1].accuracy->predictions;
    int64_t agree = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) agree += a[i] == b[i];
    list.push_back(fmt::format("{} and {} give the same label for {} of {} pictures of the split {}.", rows[0].precision, rows[1].precision, agree, a.size(), split));
  }
  list.push_back("golden_input.bin holds 4 pictures drawn by Kinglet itself, as bytes at the input's size; the golden_output files hold what these models give for them.");
  return list;
}

card::ModelFacts model_facts(const std::vector<graph::Model>& models, const std::string& name, const data::Dataset& pictures, const CardOptions& options) {
  const auto& model = models.front();
  card::ModelFacts facts;
  facts.name = name;
  facts.description = options.description;
  facts.input = model.input;
  facts.labels = model.labels.empty() ? pictures.info().classes : model.labels;
  for (const auto& m : models) {
    const auto cost = model_cost(m);
    facts.params = cost.deployed.params, facts.macs = cost.deployed.macs;
    if (cost.train_params) facts.train_params = cost.train_params;
    if (facts.architecture.empty()) facts.architecture = m.provenance.value("architecture", std::string());
  }
  return facts;
}

fs::path write_labels(const std::vector<std::string>& labels, const fs::path& folder) {
  std::string text;
  for (const auto& label : labels) text += label + "\n";
  write_file(folder / "labels.txt", text);
  return folder / "labels.txt";
}

}  // namespace

std::vector<fs::path> make_card(const std::vector<graph::Model>& models, const data::Dataset& pictures, const fs::path& folder, const CardOptions& options) {
  KINGLET_CHECK(!models.empty());
  const std::string name = options.name.empty() ? models.front().name : options.name;
  card::CardInput input;
  input.model = model_facts(models, name, pictures, options);
  for (const auto& model : models)
    for (const auto& backend : backends(is_int8(model.graph))) input.rows.push_back(measured_row(model, backend, name, pictures, folder, options));
  input.data.info = pictures.info();
  input.data.test_n = pictures.size();
  input.licences = options.licences;
  if (input.licences.data.empty()) input.licences.data = pictures.info().licence;
  const Json training = first_provenance(models, "training");
  input.training = training_facts(training);
  if (input.training) input.data.train_n = optional_at<int64_t>(training, "n"), input.data.val_n = optional_at<int64_t>(training, "val_n");
  input.curve = training_curve(first_provenance(models, "curve"));
  input.quantization = first_provenance(models, "quantize");
  input.seeds = seed_runs(models, input.rows, pictures, options);
  input.reproduce = how_to_reproduce(models, options.seed_runs, name, pictures.info());
  input.limits = options.notes;
  input.proofs = proofs(models, input.rows, pictures.info().split);
  input.published = published_figures(name);
  input.tool_version = KINGLET_VERSION;
  auto files = card::write_card(input, folder);
  for (const auto& row : input.rows) files.push_back(folder / row.file);
  files.push_back(write_labels(input.model.labels, folder));
  for (const auto& model : models)
    for (auto& path : write_golden(model, folder))
      if (std::find(files.begin(), files.end(), path) == files.end()) files.push_back(std::move(path));
  if (training.is_object() && training.contains("recipe")) {
    write_file(folder / "recipe.yaml", json_at<std::string>(training, "recipe", "provenance"));
    files.push_back(folder / "recipe.yaml");
  }
  return files;
}

}  // namespace kinglet::flow
