#include "flow/zoo_sheets.h"

#include "data/dataset.h"
#include "data/manifest.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/picture_sheet.h"
#include "load/open_model.h"

namespace kinglet::flow {

namespace {

constexpr int kMistakes = 40;

}  // namespace

std::optional<std::filesystem::path> write_zoo_sheet(const ZooModel& model, const std::filesystem::path& folder, std::string& why, int threads, const ProgressCallback& progress) {
  if (!data::has_manifest(model.dataset) || !data::where_found(data::load_manifest(model.dataset), "test")) {
    why = "the pictures of " + model.dataset + " are not on this machine";
    return std::nullopt;
  }
  const auto pictures = data::open_dataset(model.dataset + ":test", "test");
  const auto opened = deployable(load::open_model(model.path("TFLite", model.find("TFLite", "int8") ? "int8" : "float32").string()));
  eval::EvalOptions options;
  options.mistakes = kMistakes, options.progress = progress;
  const auto report = eval::evaluate(*make_engine(opened, ops::Numerics::tflm, "session", threads), opened, *pictures, options);
  if (report.mistakes.empty()) {
    why = "there is no mistake to show";
    return std::nullopt;
  }
  const auto path = folder / (model.name + "_mistakes.png");
  write_mistake_sheet(report, *pictures, path);
  return path;
}

}  // namespace kinglet::flow
