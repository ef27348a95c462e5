// Does a shipped model still do what its card says? Sums, golden outputs, and the card's figures measured again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "flow/zoo_models.h"
#include "graph/model.h"

namespace kinglet::flow {

struct Check {
  std::string what;    ///< "sum of x_int8.tflite"
  enum class Result : uint8_t { ok, failed, skipped } result = Result::ok;
  std::string detail;  ///< what was found, or why it was skipped
};

/// Per file: its SHA-256 and size; golden_output of the int8 file to the bit, of float files within 1e-5; and, where the data
/// set is on this machine, top-1 hits and n equal to the card's (float files: within two pictures, since float kernels differ
/// by machine). `measure` false leaves the last out.
std::vector<Check> verify_model(const ZooModel& model, bool measure, int threads = 0, const ProgressCallback& progress = {});

/// A training of the model's recipe against its card: `trained` is quantized with the training pictures, both are measured on
/// the test split, and each must not lie below the card's 95 % interval.
std::vector<Check> compare_with_card(const ZooModel& model, const graph::Model& trained, int threads = 0, const ProgressCallback& progress = {});

/// The pictures that golden outputs are given for: `count` of them as HWC bytes at the input's size, drawn from a seed by
/// kinglet itself (smooth colour fields with shapes), so that no one's pictures are copied.
std::vector<uint8_t> golden_pixels(const graph::InputSpec& input, int count);

/// Writes golden_input.bin (golden_pixels, 4 pictures) and golden_output_int8.bin / golden_output_float32.bin (what the model
/// gives for them) into `folder`; returns the paths.
std::vector<std::filesystem::path> write_golden(const graph::Model& model, const std::filesystem::path& folder);

}  // namespace kinglet::flow
