#include "flow/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/random.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/engine.h"

namespace kinglet::flow {

namespace fs = std::filesystem;

namespace {

constexpr int kGoldenPictures = 4;
constexpr double kFloatTolerance = 1e-5;

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

/// "" when `found` is `golden`: bytes to the bit, floats each within kFloatTolerance (relative above 1), none of them NaN.
std::string difference(std::span<const std::byte> found, std::span<const std::byte> golden, bool integer) {
  if (found.size() != golden.size()) return fmt::format("{} bytes where the golden output has {}", found.size(), golden.size());
  if (integer) return std::memcmp(found.data(), golden.data(), found.size()) == 0 ? "" : "differs from the golden output";
  for (size_t i = 0; i + sizeof(float) <= found.size(); i += sizeof(float)) {
    float a, b;
    std::memcpy(&a, found.data() + i, sizeof a), std::memcpy(&b, golden.data() + i, sizeof b);
    const double off = std::abs(double{a} - double{b}) / std::max(1.0, std::abs(double{b}));
    if (!(off <= kFloatTolerance)) return fmt::format("differs from the golden output by {:.2g} at value {}", off, i / sizeof(float));
  }
  return "";
}

}  // namespace

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

std::string golden_input_fault(const graph::InputSpec& input, const fs::path& folder) {
  const fs::path path = folder / "golden_input.bin";
  if (!fs::exists(path)) return "is missing";
  const auto pixels = golden_pixels(input, kGoldenPictures);
  const auto found = read_file(path);
  return std::ranges::equal(found, std::as_bytes(std::span(pixels))) ? "" : "is not what Kinglet draws";
}

std::string golden_output_fault(const graph::Model& model, const fs::path& folder) {
  const bool integer = is_int8(model.graph);
  const fs::path path = folder / golden_name(integer ? "int8" : "float32");
  if (!fs::exists(path)) return path.filename().string() + " is missing";
  return difference(run_pixels(model, golden_pixels(model.input, kGoldenPictures)), read_file(path), integer);
}

}  // namespace kinglet::flow
