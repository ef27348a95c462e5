// The .kinglet file: magic, version, JSON index, 64-byte-aligned blobs, a CRC-32 a section (docs/design/kinglet_file.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "graph/model.h"

namespace kinglet::graph {

std::vector<std::byte> serialize(const Model& model);
/// Throws Error("where: ...") on damage, on a newer major version, on indices or sizes out of range.
Model deserialize(std::span<const std::byte> bytes, const std::string& where);

void save(const Model& model, const std::filesystem::path& path);
Model load(const std::filesystem::path& path);

}  // namespace kinglet::graph
