#include "flow/zoo_verify.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/sha256.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "load/open_model.h"
#include "quantize/quantize.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

constexpr int kGoldenPictures = 4;
constexpr double kFloatTolerance = 1e-5;
constexpr int64_t kFloatHitsTolerance = 2;

Check passed(std::string what, std::string detail = {}) { return {std::move(what), Check::Result::ok, std::move(detail)}; }
Check failed(std::string what, std::string detail) { return {std::move(what), Check::Result::failed, std::move(detail)}; }
Check skipped(std::string what, std::string detail) { return {std::move(what), Check::Result::skipped, std::move(detail)}; }

Check check_sum(const ZooModel& model, const ZooFile& file) {
  const std::string what = "sum of " + file.file;
  const fs::path path = model.folder / file.file;
  if (!fs::is_regular_file(path)) return failed(what, "the file is missing");
  const auto found = sha256_file(path);
  return found == file.sha256 ? passed(what) : failed(what, "SHA-256 " + found + " where the card has " + file.sha256);
}

/// One row of pixels: a colour that changes smoothly over the picture, and inside an ellipse another one.
struct Field {
  double base[3], along_x[3], along_y[3], inside[3], cx, cy, rx, ry;
};

Field draw_field(int picture) {
  RandomStream random(20, 0, static_cast<uint64_t>(picture), Purpose::draw);
  Field f{};
  for (int c = 0; c < 3; ++c) {
    f.base[c] = random.uniform(40, 200), f.inside[c] = random.uniform(0, 255);
    f.along_x[c] = random.uniform(-60, 60), f.along_y[c] = random.uniform(-60, 60);
  }
  f.cx = random.uniform(0.3, 0.7), f.cy = random.uniform(0.3, 0.7), f.rx = random.uniform(0.1, 0.35), f.ry = random.uniform(0.1, 0.35);
  return f;
}

uint8_t field_byte(const Field& f, double x, double y, int c) {
  const double dx = (x - f.cx) / f.rx, dy = (y - f.cy) / f.ry;
  const double value = dx * dx + dy * dy < 1 ? f.inside[c] : f.base[c] + f.along_x[c] * x + f.along_y[c] * y;
  return static_cast<uint8_t>(std::min(255.0, std::max(0.0, std::floor(value))));
}

/// The model's outputs for pictures that have been through stage 1 of its contract.
std::vector<std::byte> run_pixels(const graph::Model& model, std::span<const uint8_t> pixels) {
  const auto deployed = deployable(model);
  auto engine = make_engine(deployed, ops::Numerics::tflm, "session", 1);
  const data::Preprocessor preprocessor(deployed.input, engine->inputs().at(0));
  std::vector<std::byte> input(engine->input_bytes()), all, output(engine->output_bytes());
  for (size_t at = 0; at + preprocessor.pixel_bytes() <= pixels.size(); at += preprocessor.pixel_bytes()) {
    preprocessor.map(pixels.subspan(at, preprocessor.pixel_bytes()), input);
    engine->run(input, output, 0);
    all.insert(all.end(), output.begin(), output.end());
  }
  return all;
}

std::string golden_name(const std::string& precision) { return "golden_output_" + precision + ".bin"; }

std::string difference(std::span<const std::byte> found, std::span<const std::byte> golden, bool integer) {
  if (found.size() != golden.size()) return fmt::format("{} bytes where the golden output has {}", found.size(), golden.size());
  if (integer) return std::memcmp(found.data(), golden.data(), found.size()) == 0 ? "" : "differs from the golden output";
  double largest = 0;
  for (size_t i = 0; i + sizeof(float) <= found.size(); i += sizeof(float)) {
    float a, b;
    std::memcpy(&a, found.data() + i, sizeof a), std::memcpy(&b, golden.data() + i, sizeof b);
    largest = std::max(largest, std::abs(double{a} - double{b}) / std::max(1.0, std::abs(double{b})));
  }
  return largest <= kFloatTolerance ? "" : fmt::format("differs from the golden output by {:.2g}", largest);
}

Check check_golden(const ZooModel& model, const ZooFile& file, const graph::Model& opened) {
  const std::string what = "golden output of " + file.file;
  const fs::path input = model.folder / "golden_input.bin", output = model.folder / golden_name(file.precision);
  if (!fs::exists(input) || !fs::exists(output)) return failed(what, "golden_input.bin or " + output.filename().string() + " is missing");
  const auto pixels = read_file(input);
  const auto found = run_pixels(opened, {reinterpret_cast<const uint8_t*>(pixels.data()), pixels.size()});
  const auto fault = difference(found, read_file(output), file.precision == "int8");
  return fault.empty() ? passed(what, file.precision == "int8" ? "equal to the bit" : "within 1e-5") : failed(what, fault);
}

Check check_figures(const ZooModel& model, const ZooFile& file, const graph::Model& opened, int threads, const ProgressCallback& progress) {
  const std::string what = "top-1 of " + file.file;
  const std::string data = model.dataset + ":" + json_at<std::string>(model.card["data"], "split", "card.json");
  if (!data::has_manifest(model.dataset) || !data::where_found(data::load_manifest(model.dataset), "test"))
    return skipped(what, "the pictures of " + model.dataset + " are not on this machine");
  const auto report = evaluate(opened, *data::open_dataset(data, "test"), ops::Numerics::tflm, threads, progress);
  const int64_t allowed = file.precision == "int8" ? 0 : kFloatHitsTolerance;
  const std::string found = fmt::format("{} of {} right, the card has {} of {}", report.top1_hits, report.n, file.hits, file.n);
  return report.n == file.n && std::abs(report.top1_hits - file.hits) <= allowed ? passed(what, found) : failed(what, found);
}

Check check_reproduced(const ZooFile& file, const graph::Model& trained, const data::Dataset& pictures, int threads, const ProgressCallback& progress) {
  const auto report = evaluate(trained, pictures, ops::Numerics::tflm, threads, progress);
  const auto ci = file.ci95_percent();
  const std::string found = fmt::format("{:.2f} % of {}, the card has {:.2f} % [{:.2f}, {:.2f}]", report.top1_percent(), report.n, file.top1_percent(), ci.low, ci.high);
  return report.top1_percent() >= ci.low ? passed("top-1 in " + file.precision, found) : failed("top-1 in " + file.precision, found);
}

}  // namespace

std::vector<Check> compare_with_card(const ZooModel& model, const graph::Model& trained, int threads, const ProgressCallback& progress) {
  quantize::Options options;
  options.threads = threads;
  const auto quantized = quantize::post_training(trained, *data::open_dataset(model.dataset + ":train", "train"), options, progress);
  const auto pictures = data::open_dataset(model.dataset + ":test", "test");
  std::vector<Check> checks;
  if (const auto* file = model.find("TFLite", "float32")) checks.push_back(check_reproduced(*file, trained, *pictures, threads, progress));
  if (const auto* file = model.find("TFLite", "int8")) checks.push_back(check_reproduced(*file, quantized.model, *pictures, threads, progress));
  return checks;
}

std::vector<uint8_t> golden_pixels(const graph::InputSpec& input, int count) {
  std::vector<uint8_t> pixels;
  for (int p = 0; p < count; ++p) {
    const Field field = draw_field(p);
    for (int y = 0; y < input.height; ++y)
      for (int x = 0; x < input.width; ++x)
        for (int c = 0; c < input.channels; ++c) pixels.push_back(field_byte(field, (x + 0.5) / input.width, (y + 0.5) / input.height, c));
  }
  return pixels;
}

std::vector<fs::path> write_golden(const graph::Model& model, const fs::path& folder) {
  const auto pixels = golden_pixels(model.input, kGoldenPictures);
  const std::vector<fs::path> paths{folder / "golden_input.bin", folder / golden_name(is_int8(model.graph) ? "int8" : "float32")};
  write_file(paths[0], std::as_bytes(std::span(pixels)));
  write_file(paths[1], run_pixels(model, pixels));
  return paths;
}

std::vector<Check> verify_model(const ZooModel& model, bool measure, int threads, const ProgressCallback& progress) {
  std::vector<Check> checks;
  for (const auto& file : model.files) {
    checks.push_back(check_sum(model, file));
    if (checks.back().result == Check::Result::failed) continue;
    const auto opened = load::open_model((model.folder / file.file).string());
    checks.push_back(check_golden(model, file, opened));
    if (measure) checks.push_back(check_figures(model, file, opened, threads, progress));
  }
  return checks;
}

}  // namespace kinglet::flow
