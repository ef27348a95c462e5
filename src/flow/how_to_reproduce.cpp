#include "flow/how_to_reproduce.h"

#include <fmt/format.h>

#include <map>

#include "flow/deploy.h"
#include "flow/provenance.h"

namespace kinglet::flow {

namespace {

/// The flags of `kinglet quantize` that differ from the usual.
std::string quantize_flags(const Json& quantized) {
  const quantize::Options usual, made = quantize_options(quantized);
  std::string flags;
  const auto add = [&](const char* flag, const auto& value, const auto& standard) {
    if (value != standard) flags += fmt::format(" {} {}", flag, value);
  };
  add("--observer", quantize::observer_name(made.observer), quantize::observer_name(usual.observer));
  add("--percentile", made.percentile, usual.percentile);
  add("--calibration-n", made.calibration_n, usual.calibration_n);
  add("--io", quantize::io_name(made.io), quantize::io_name(usual.io));
  add("--seed", made.seed, usual.seed);
  if (made.per_channel_fc) flags += " --per-channel-fc";
  if (!made.bias_correction) flags += " --no-bias-correction";
  return flags;
}

/// One training of the recipe and what it gives.
struct Run {
  std::string name, data;  ///< folder under runs/; data set
  Json quantized;          ///< null: no int8 file

  std::string best() const { return "runs/" + name + "/best.kinglet"; }
  std::string int8() const { return (quantized_by_training(quantized) ? "runs/" + name + "/" : "") + name + "_int8.kinglet"; }

  std::vector<std::string> commands(const std::string& overrides) const {
    std::vector<std::string> lines{fmt::format("kinglet train recipe.yaml name={}{}", name, overrides)};
    if (quantized.is_object() && !quantized_by_training(quantized))
      lines.push_back(fmt::format("kinglet quantize {} --data {}{} -o {}", best(), optional_at<std::string>(quantized, "calibration_data").value_or(data + ":train"), quantize_flags(quantized), int8()));
    return lines;
  }
};

uint64_t seed_of(const graph::Model& model) { return optional_at<uint64_t>(model.provenance.value("training", Json()), "seed").value_or(0); }

/// A card's --seed-run: a run with another seed and which of its files are given.
struct SeedFiles {
  Run run;
  bool best = false;
};

std::map<uint64_t, SeedFiles> seed_files(const std::vector<graph::Model>& seed_runs, const std::string& name, const std::string& data) {
  std::map<uint64_t, SeedFiles> seeds;
  for (const auto& model : seed_runs) {
    const uint64_t seed = seed_of(model);
    auto& [run, best] = seeds[seed];
    run.name = fmt::format("{}_seed{}", name, seed), run.data = data;
    if (is_int8(model.graph)) run.quantized = model.provenance.value("quantize", Json());
    else best = true;
  }
  return seeds;
}

}  // namespace

std::vector<std::string> how_to_reproduce(const std::vector<graph::Model>& models, const std::vector<graph::Model>& seed_runs, const std::string& name, const data::DatasetInfo& pictures) {
  const Json training = first_provenance(models, "training");
  if (!training.is_object() || !training.contains("recipe")) return {};
  const Run shipped{name, pictures.name, first_provenance(models, "quantize")};
  std::vector<std::string> lines = shipped.commands("");
  std::string more;
  for (const auto& [seed, files] : seed_files(seed_runs, name, pictures.name)) {
    for (auto& line : files.run.commands(fmt::format(" seed={}", seed))) lines.push_back(std::move(line));
    if (files.best) more += " --seed-run " + files.run.best();
    if (files.run.quantized.is_object()) more += " --seed-run " + files.run.int8();
  }
  const std::string subject = shipped.quantized.is_object() ? shipped.int8() + " --with " + shipped.best() : shipped.best();
  lines.push_back(fmt::format("kinglet card {} --name {} --data {}:{}{} -o card/", subject, name, pictures.name, pictures.split, more));
  return lines;
}

}  // namespace kinglet::flow
