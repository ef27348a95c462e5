// safetensors files: eight bytes of header length, a JSON header, raw tensors. No code can hide in them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "formats/state_dict.h"

namespace kinglet::formats::safetensors {

/// True if the bytes begin with a length within the file and a JSON object.
bool is_safetensors(std::span<const std::byte> bytes);

/// The tensors, float64, float16 and bfloat16 as float32, and the texts of "__metadata__". Throws Error for a header longer than 100 MB,
/// types Kinglet has not, and tensors that overlap, leave holes or reach outside the file.
StateDict read_state(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn = {});

/// Tensors by name, their bytes aligned to 8.
std::vector<std::byte> write_state(const StateDict& state);

}  // namespace kinglet::formats::safetensors
