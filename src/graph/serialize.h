// The .kinglet file: magic, version, JSON index, 64-byte-aligned blobs, a CRC-32 a section (docs/design/kinglet_file.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/model.h"

namespace kinglet::graph {

std::vector<std::byte> serialize(const Model& model);
/// Throws Error("where: ...") on damage, on a newer major version, on indices or sizes out of range.
Model deserialize(std::span<const std::byte> bytes, const std::string& where);

/// The index alone, as text: everything but the bytes of constants and the further sections. For formats that keep tensors by name:
/// constants go by tensor_names[value] in it.
std::string model_to_index(const Model& model, const std::vector<std::string>& tensor_names);
/// The Model of such an index, its constants still absent: `wanted` lists each value and the name of its tensor. The caller
/// fills them in and verifies. Throws Error opened by `where`.
Model model_from_index(std::string_view text, const std::string& where, std::vector<std::pair<ValueId, std::string>>& wanted);

void save(const Model& model, const std::filesystem::path& path);
Model load(const std::filesystem::path& path);

}  // namespace kinglet::graph
