#include "flow/zoo_verify.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "card/card.h"
#include "data/manifest.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/golden.h"
#include "flow/provenance.h"
#include "load/open_model.h"
#include "plan/plan.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kFloatPicturesTolerance = 2;

Check passed(std::string what, std::string detail = {}) { return {std::move(what), Check::Result::ok, std::move(detail)}; }
Check failed(std::string what, std::string detail) { return {std::move(what), Check::Result::failed, std::move(detail)}; }
Check skipped(std::string what, std::string detail) { return {std::move(what), Check::Result::skipped, std::move(detail)}; }

/// The check of `what`: passed when there is no fault.
Check check_fault(std::string what, const std::string& fault, std::string detail = {}) { return fault.empty() ? passed(std::move(what), std::move(detail)) : failed(std::move(what), fault); }

std::string differs(const char* what, int64_t found, std::optional<int64_t> said) {
  return said == found ? "" : fmt::format("{} {} where the card has {}", found, what, said ? std::to_string(*said) : "none");
}

std::string first_fault(std::initializer_list<std::string> faults) {
  for (const auto& fault : faults)
    if (!fault.empty()) return fault;
  return "";
}

Check check_sum(const ZooModel& model, const card::BackendRow& row) {
  const std::string what = "sum of " + row.file;
  const fs::path path = model.folder / row.file;
  if (!fs::is_regular_file(path)) return failed(what, "the file is missing");
  const auto found = sha256_file(path);
  return check_fault(what, first_fault({differs("bytes", static_cast<int64_t>(fs::file_size(path)), row.bytes), found == row.sha256 ? "" : "SHA-256 " + found + " where the card has " + row.sha256}));
}

/// What is counted on the deployed graph, not measured: the same on every machine.
Check check_costs(const card::CardInput& card, const card::BackendRow& row, const graph::Model& opened) {
  const auto cost = model_cost(opened);
  const auto arena = plan::make_plan(deployable(opened).graph, plan::portable_target(ops::Numerics::tflm)).arena_bytes;
  const std::string precision = is_int8(opened.graph) ? "int8" : "float32";
  return check_fault("costs of " + row.file,
                     first_fault({differs("parameters", cost.deployed.params, card.model.params), differs("MACs", cost.deployed.macs, card.model.macs),
                                  cost.train_params ? differs("parameters of the training graph", cost.train_params, card.model.train_params) : "",
                                  differs("bytes of arena", static_cast<int64_t>(arena), row.arena_bytes), precision == row.precision ? "" : "is " + precision}));
}

Check check_contract(const card::CardInput& card, const card::BackendRow& row, const graph::Model& opened) {
  return check_fault("labels and input of " + row.file, first_fault({opened.labels == card.model.labels ? "" : "its labels are not the card's",
                                                                     graph::describe(opened.input) == graph::describe(card.model.input) ? "" : "its input is " + graph::describe(opened.input)}));
}

std::string text_of(const fs::path& path) { return fs::is_regular_file(path) ? read_text_file(path) : ""; }

Check check_labels(const ZooModel& model, const card::CardInput& card) {
  std::string lines;
  for (const auto& label : card.model.labels) lines += label + "\n";
  const bool known = data::has_manifest(model.dataset);
  return check_fault("labels", first_fault({text_of(model.folder / "labels.txt") == lines ? "" : "labels.txt does not hold the card's labels",
                                            card.data.info.classes == card.model.labels ? "" : "the card's labels are not its data set's classes",
                                            !known || data::load_manifest(model.dataset).classes == card.data.info.classes ? "" : "the card's classes are not those of " + model.dataset}));
}

std::vector<Check> check_texts(const ZooModel& model, const card::CardInput& card) {
  std::vector<Check> checks;
  for (const auto& file : card::card_files(card))
    checks.push_back(check_fault(file.name, text_of(model.folder / file.name) == file.text ? "" : "is not what card.json gives; `kinglet card card.json` writes it again"));
  return checks;
}

/// recipe.yaml and the card's training against what a file itself (the PyTorch one) carries of its training.
Check check_training(const ZooModel& model, const card::CardInput& card, const std::vector<graph::Model>& opened) {
  const Json training = first_provenance(opened, "training");
  if (training.is_null()) return skipped("training", "no file tells how it was trained");
  card::CardInput told = card;
  told.training = training_facts(training);
  told.curve = training_curve(first_provenance(opened, "curve"));
  told.data.train_n = optional_at<int64_t>(training, "n"), told.data.val_n = optional_at<int64_t>(training, "val_n");
  return check_fault("training", first_fault({card::card_json(told) == card::card_json(card) ? "" : "the card's training is not the one that the files tell of",
                                              text_of(model.folder / "recipe.yaml") == optional_at<std::string>(training, "recipe").value_or("") ? "" : "recipe.yaml is not the recipe that the files tell of"}));
}

/// At least so many pictures were judged otherwise.
int64_t moved(const eval::EvalReport& a, const eval::EvalReport& b) {
  int64_t cells = 0;
  for (size_t r = 0; r < a.confusion.size(); ++r)
    for (size_t c = 0; c < a.confusion[r].size(); ++c) cells += std::abs(a.confusion[r][c] - b.confusion[r][c]);
  return (cells + 1) / 2;
}

std::string measured_fault(const eval::EvalReport& found, const eval::EvalReport& said, int64_t allowed) {
  if (found.n != said.n || found.class_n != said.class_n) return fmt::format("{} pictures, the card has {} or other classes", found.n, said.n);
  if (std::abs(found.top1_hits - said.top1_hits) > allowed) return fmt::format("{} of {} right, the card has {} of {}", found.top1_hits, found.n, said.top1_hits, said.n);
  if (std::abs(found.top5_hits - said.top5_hits) > allowed) return fmt::format("{} of {} among the first five, the card has {}", found.top5_hits, found.n, said.top5_hits);
  return moved(found, said) > allowed ? fmt::format("the confusion matrix of the card has {} pictures elsewhere", moved(found, said)) : "";
}

Check check_figures(const ZooModel& model, const card::CardInput& card, const card::BackendRow& row, const graph::Model& opened, int threads, const ProgressCallback& progress) {
  const std::string what = "figures of " + row.file;
  if (!row.accuracy) return failed(what, "the card has none");
  if (!data::has_manifest(model.dataset) || !data::where_found(data::load_manifest(model.dataset), "test")) return skipped(what, "the pictures of " + model.dataset + " are not on this machine");
  const auto report = evaluate(opened, *data::open_dataset(model.dataset + ":" + card.data.info.split, "test"), ops::Numerics::tflm, threads, progress);
  return check_fault(what, measured_fault(report, *row.accuracy, row.precision == "int8" ? 0 : kFloatPicturesTolerance), fmt::format("{} of {} right", report.top1_hits, report.n));
}

Check check_reproduced(const ZooFile& file, const graph::Model& trained, const data::Dataset& pictures, int threads, const ProgressCallback& progress) {
  const auto report = evaluate(trained, pictures, ops::Numerics::tflm, threads, progress);
  const auto ci = file.ci95_percent();
  const std::string found = fmt::format("{:.2f} % of {}, the card has {:.2f} % [{:.2f}, {:.2f}]", report.top1_percent(), report.n, file.top1_percent(), ci.low, ci.high);
  return report.top1_percent() >= ci.low ? passed("top-1 in " + file.precision, found) : failed("top-1 in " + file.precision, found);
}

}  // namespace

graph::Model int8_of_run(const ZooModel& model, const fs::path& run, const std::function<data::DatasetPtr(const std::string&)>& open_data, int threads, const ProgressCallback& progress) {
  const Json quantized = model.card.value("quantization", Json());
  if (quantized_by_training(quantized)) return load::open_model((run / (model.name + "_int8.kinglet")).string());
  auto options = quantize_options(quantized);
  options.threads = threads;
  const auto pictures = open_data(optional_at<std::string>(quantized, "calibration_data").value_or(model.dataset + ":train"));
  return quantize::post_training(load::open_model((run / "best.kinglet").string()), *pictures, options, progress).model;
}

std::vector<Check> compare_with_card(const ZooModel& model, const fs::path& run, int threads, const ProgressCallback& progress) {
  const auto open_data = [](const std::string& text) { return data::open_dataset(text, "train"); };
  const auto pictures = data::open_dataset(model.dataset + ":test", "test");
  std::vector<Check> checks;
  if (const auto* file = model.find("TFLite", "float32")) checks.push_back(check_reproduced(*file, load::open_model((run / "best.kinglet").string()), *pictures, threads, progress));
  if (const auto* file = model.find("TFLite", "int8")) checks.push_back(check_reproduced(*file, int8_of_run(model, run, open_data, threads, progress), *pictures, threads, progress));
  return checks;
}

std::vector<Check> verify_model(const ZooModel& model, Measure measure, int threads, const ProgressCallback& progress) {
  const auto card = card::card_from_json(model.card, (model.folder / "card.json").string());
  std::vector<Check> checks = check_texts(model, card);
  checks.push_back(check_labels(model, card));
  checks.push_back(check_fault("golden_input.bin", golden_input_fault(card.model.input, model.folder)));
  std::vector<graph::Model> all;
  for (const auto& row : card.rows) {
    checks.push_back(check_sum(model, row));
    if (!fs::is_regular_file(model.folder / row.file) || sha256_file(model.folder / row.file) != row.sha256) continue;
    const auto& opened = all.emplace_back(load::open_model((model.folder / row.file).string()));
    checks.push_back(check_costs(card, row, opened));
    checks.push_back(check_contract(card, row, opened));
    checks.push_back(check_fault("golden output of " + row.file, golden_output_fault(opened, model.folder), row.precision == "int8" ? "equal to the bit" : "within 1e-5"));
    if (measure == Measure::all || (measure == Measure::int8 && row.precision == "int8")) checks.push_back(check_figures(model, card, row, opened, threads, progress));
  }
  checks.push_back(check_training(model, card, all));
  return checks;
}

}  // namespace kinglet::flow
