#include "flow/verify_published.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "flow/engine.h"
#include "load/open_model.h"

namespace kinglet::flow {

namespace fs = std::filesystem;
using load::MeasuredFile;
using load::PublishedFile;
using load::PublishedModel;

namespace {

constexpr int64_t kFloatHitsTolerance = 2;  ///< float kernels differ by machine

Check check_sum(const PublishedModel& model, const PublishedFile& file) {
  const std::string what = "sum of " + file.name();
  if (file.sum().empty()) return {what, Check::Result::skipped, "no sum of its own is published"};
  if (!fs::is_regular_file(load::published_path(model, file))) return {what, Check::Result::skipped, "not fetched: kinglet zoo get " + model.name};
  return load::is_fetched(model, file) ? Check{what, Check::Result::ok, ""} : Check{what, Check::Result::failed, "differs from the published sum"};
}

Check check_figure(const PublishedModel& model, const PublishedFile& file, int threads, const ProgressCallback& progress) {
  const std::string what = "top-1 of " + file.name();
  std::string why;
  const auto found = measure_published(model, file, why, threads, progress);
  if (!found) return {what, Check::Result::skipped, why};
  const auto ci = wilson95(found->hits, found->n);
  const double percent = 100.0 * static_cast<double>(found->hits) / static_cast<double>(found->n);
  std::string detail = fmt::format("{:.2f} % [{:.2f}, {:.2f}] of {}, printed is {:.2f} %", percent, 100 * ci.low, 100 * ci.high, found->n, *file.top1_percent);
  if (!file.fault.empty()) detail += ", " + file.fault;
  const bool known = file.measured && file.measured->n == found->n;
  const bool ok = known ? std::abs(found->hits - file.measured->hits) <= (file.is_int8() ? 0 : kFloatHitsTolerance) : *file.top1_percent >= 100 * ci.low && *file.top1_percent <= 100 * ci.high;
  return {what, ok ? Check::Result::ok : Check::Result::failed, detail};
}

}  // namespace

std::optional<MeasuredFile> measure_published(const PublishedModel& model, const PublishedFile& file, std::string& why, int threads, const ProgressCallback& progress) {
  if (!load::is_fetched(model, file)) why = "not fetched: kinglet zoo get " + model.name;
  else if (!file.top1_percent) why = "no figure is printed";
  else if (!model.not_comparable.empty()) why = model.not_comparable;
  else if (file.our_backend() == "PyTorch") why = "a file of tensors without a network";
  else if (!data::has_manifest(model.data) || !data::where_found(data::load_manifest(model.data), "test")) why = "the pictures of " + model.data + " are not on this machine";
  if (!why.empty()) return std::nullopt;
  const auto pictures = data::open_dataset(model.data + ":test", "test");
  const auto report = evaluate(load::open_model(load::published_path(model, file).string()), *pictures, ops::Numerics::tflm, threads, progress);
  return MeasuredFile{model.data + ":test", report.n, report.top1_hits};
}

std::vector<Check> verify_published(const PublishedModel& model, bool measure, int threads, const ProgressCallback& progress) {
  const auto is_here = [&](const PublishedFile& file) { return !file.url.empty() && fs::is_regular_file(load::published_path(model, file)); };
  if (std::none_of(model.files.begin(), model.files.end(), is_here)) load::fetched_file(model);  // says what is missing
  std::vector<Check> checks;
  for (const auto& file : model.files) {
    if (file.url.empty()) continue;
    checks.push_back(check_sum(model, file));
    if (measure && checks.back().result == Check::Result::ok) checks.push_back(check_figure(model, file, threads, progress));
  }
  return checks;
}

void refuse_to_reproduce(const PublishedModel& model) {
  std::string hint = is_zoo_model(model.ours) ? "the same network with our weights: kinglet zoo reproduce " + model.ours : "";
  if (hint.empty()) hint = model.recipe.empty() ? "see kinglet zoo show " + model.name : "the recipe of its network: kinglet train recipes/" + model.recipe + ".yaml";
  throw Error(model.name, "is published by others: there are no weights of ours to make again", hint, ErrorKind::usage);
}

}  // namespace kinglet::flow
