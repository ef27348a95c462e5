// Golden input and outputs of a shipped model: pictures that Kinglet draws itself, and what the model gives for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/model.h"

namespace kinglet::flow {

/// The pictures that golden outputs are given for: `count` of them as HWC bytes at the input's size, drawn from a seed by
/// kinglet itself (smooth colour fields with shapes), so that no one's pictures are copied.
std::vector<uint8_t> golden_pixels(const graph::InputSpec& input, int count);

/// Writes golden_input.bin (golden_pixels, 4 pictures) and golden_output_int8.bin / golden_output_float32.bin (what the model
/// gives for them) into `folder`; returns the paths.
std::vector<std::filesystem::path> write_golden(const graph::Model& model, const std::filesystem::path& folder);

/// What is wrong with `folder`'s golden_input.bin, to the bit; "" for nothing.
std::string golden_input_fault(const graph::InputSpec& input, const std::filesystem::path& folder);
/// What is wrong with the golden output of the model's precision: its size, a byte of an int8 output, a float output beyond
/// 1e-5 (relative above 1) or NaN; "" for nothing.
std::string golden_output_fault(const graph::Model& model, const std::filesystem::path& folder);

}  // namespace kinglet::flow
