#include "flow/make_card.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "eval/latency.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/model_files.h"
#include "load/open_model.h"
#include "load/published.h"
#include "flow/seed_spread.h"
#include "flow/zoo_verify.h"
#include "quantize/quantize.h"

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

template <class T>
std::optional<T> optional_at(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || json[key].is_null()) return std::nullopt;
  return json_at<T>(json, key, "provenance");
}

/// The first of the models whose provenance has `key`; null when none has.
Json first_provenance(const std::vector<graph::Model>& models, const char* key) {
  for (const auto& model : models)
    if (model.provenance.contains(key)) return model.provenance[key];
  return nullptr;
}

std::optional<card::TrainingFacts> training_facts(const Json& training) {
  if (!training.is_object()) return std::nullopt;
  card::TrainingFacts facts;
  facts.recipe = training.contains("recipe") ? "recipe.yaml" : "";
  facts.epochs = optional_at<int>(training, "epochs");
  facts.seed = optional_at<uint64_t>(training, "seed");
  facts.hours = optional_at<double>(training, "hours");
  const auto chosen = optional_at<std::string>(training, "chosen_on").value_or("");
  facts.weights_chosen_by = chosen == "val" ? "best top-1 on val" : chosen;
  return facts;
}

std::vector<card::CurvePoint> training_curve(const Json& curve) {
  std::vector<card::CurvePoint> points;
  auto known = [](std::optional<double> v) { return v && *v >= 0 ? v : std::nullopt; };
  if (!curve.is_array()) return points;
  for (const Json& row : curve) {
    card::CurvePoint& point = points.emplace_back();
    point.epoch = json_at<int>(row, "epoch", "provenance");
    point.train_loss = optional_at<double>(row, "loss");
    point.train_top1 = known(optional_at<double>(row, "train_top1"));
    point.val_top1 = known(optional_at<double>(row, "val_top1"));
  }
  return points;
}

/// The flags of `kinglet quantize` that make the same model again.
std::string quantize_flags(const Json& quantized) {
  const quantize::Options usual;
  std::string flags;
  const auto add = [&](const char* flag, const auto& value, const auto& standard) {
    if (value && *value != standard) flags += fmt::format(" {} {}", flag, *value);
  };
  add("--observer", optional_at<std::string>(quantized, "observer"), std::string(quantize::observer_name(usual.observer)));
  add("--percentile", optional_at<double>(quantized, "percentile"), usual.percentile);
  add("--calibration-n", optional_at<int>(quantized, "calibration_n"), usual.calibration_n);
  add("--io", optional_at<std::string>(quantized, "io"), std::string(quantize::io_name(usual.io)));
  add("--seed", optional_at<uint64_t>(quantized, "seed"), usual.seed);
  if (optional_at<bool>(quantized, "per_channel_fc").value_or(false)) flags += " --per-channel-fc";
  if (!optional_at<bool>(quantized, "bias_correction").value_or(true)) flags += " --no-bias-correction";
  return flags;
}

/// The commands that make the same card again, from the recipe that lies beside it.
std::vector<std::string> reproduce(const std::vector<graph::Model>& models, const std::string& name, const data::DatasetInfo& info) {
  const Json training = first_provenance(models, "training"), quantized = first_provenance(models, "quantize");
  if (!training.is_object() || !training.contains("recipe")) return {};
  std::vector<std::string> lines{fmt::format("kinglet train recipe.yaml name={}", name)};
  const bool by_training = quantized.is_object() && optional_at<std::string>(quantized, "method") == "quantization-aware training";
  const std::string best = fmt::format("runs/{}/best.kinglet", name), int8 = (by_training ? fmt::format("runs/{}/", name) : "") + name + "_int8.kinglet";
  if (quantized.is_object() && !by_training)
    lines.push_back(fmt::format("kinglet quantize {} --data {}{} -o {}", best, optional_at<std::string>(quantized, "calibration_data").value_or(info.name + ":train"), quantize_flags(quantized), int8));
  const std::string subject = quantized.is_object() ? int8 + " --with " + best : best;
  lines.push_back(fmt::format("kinglet card {} --name {} --data {}:{} -o card/", subject, name, info.name, info.split));
  return lines;
}

SeedFigure seed_figure(const graph::Model& model, int64_t hits, int64_t n) {
  const Json training = model.provenance.value("training", Json());
  if (!training.is_object() || !training.contains("seed")) throw Error(model.name, "does not say which seed it was trained with", "give runs of `kinglet train`", ErrorKind::usage);
  return {training["seed"].get<uint64_t>(), is_int8(model.graph) ? "int8" : "float32", 100.0 * static_cast<double>(hits) / static_cast<double>(n), n};
}

std::vector<std::string> seed_spread(const std::vector<graph::Model>& models, const std::vector<card::BackendRow>& rows, const data::Dataset& pictures, const CardOptions& options) {
  if (options.seed_runs.empty()) return {};
  std::vector<SeedFigure> figures;
  for (const auto& model : models)
    for (const auto& row : rows)
      if (row.backend == "TFLite" && (row.precision == "int8") == is_int8(model.graph)) figures.push_back(seed_figure(model, row.accuracy->top1_hits, row.accuracy->n));
  for (const auto& model : options.seed_runs) {
    const auto report = evaluate(model, pictures, options.numerics, options.threads, options.progress);
    figures.push_back(seed_figure(model, report.top1_hits, report.n));
  }
  return spread_sentences(figures);
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
  input.reproduce = reproduce(models, name, pictures.info());
  input.proofs = proofs(models, input.rows, pictures.info().split);
  for (auto& sentence : seed_spread(models, input.rows, pictures, options)) input.proofs.push_back(std::move(sentence));
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
