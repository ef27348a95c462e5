// The inputs and frozen outputs that golden tests compare with (models/golden/litert/README.md beside the checkout says how
// they were made).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/formats.h"
#include "graph/graph.h"
#include "passes/passes.h"
#include "reference/interpreter.h"

namespace kinglet::golden {

inline std::filesystem::path models() { return std::filesystem::path(KINGLET_SHARED) / "models"; }

/// A model file as it is run: uint8 operators of older files have become int8.
inline graph::Graph runnable_graph(const std::filesystem::path& path) {
  graph::Graph graph = formats::import_file(path).graph;
  passes::PassLog log;
  passes::convert_legacy_uint8(graph, log);
  return graph;
}

/// Byte pattern k of the golden files: five fixed ones, then SplitMix64 seeded with k.
inline std::vector<uint8_t> input_bytes(uint64_t k, size_t n) {
  std::vector<uint8_t> bytes(n);
  for (size_t i = 0; i < n; ++i) {
    const auto j = static_cast<uint32_t>(i);
    if (k == 0)
      bytes[i] = 0;
    else if (k == 1)
      bytes[i] = 255;
    else if (k == 2)
      bytes[i] = i % 2 ? 255 : 0;
    else if (k == 3)
      bytes[i] = static_cast<uint8_t>(i);
    else if (k == 4)
      bytes[i] = static_cast<uint8_t>((j * j) >> 8);
  }
  for (size_t at = 0, j = 1; k >= 5 && at < n; at += 8, ++j) {
    uint64_t z = k + j * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    std::memcpy(&bytes[at], &z, std::min<size_t>(8, n - at));
  }
  return bytes;
}

/// Bytes as the tensor of a value's type: int8 takes b - 128, float b / divisor.
inline Tensor input_tensor(const graph::Value& value, const std::vector<uint8_t>& bytes, float divisor = 1.0f) {
  Tensor tensor(value.dtype, value.shape);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (value.dtype == DType::f32)
      tensor.mutable_data<float>()[i] = static_cast<float>(bytes[i]) / divisor;
    else
      tensor.mutable_bytes()[i] = static_cast<std::byte>(value.dtype == DType::s8 ? bytes[i] ^ 0x80 : bytes[i]);
  }
  return tensor;
}

/// Pictures of a CIFAR-10 binary file (3073 bytes a record, planes) as HWC bytes; nothing if $KINGLET_DATA has no such file.
inline std::vector<std::vector<uint8_t>> cifar_pictures(size_t count) {
  const char* folders = std::getenv("KINGLET_DATA");
  for (std::string list = folders ? folders : ""; !list.empty();) {
    const size_t end = std::min(list.find(':'), list.size());
    const auto path = std::filesystem::path(list.substr(0, end)) / "cifar-10-batches-bin" / "test_batch.bin";
    list.erase(0, end + 1);
    if (!std::filesystem::exists(path)) continue;
    const auto raw = read_file(path);
    std::vector<std::vector<uint8_t>> pictures;
    for (size_t i = 0; i < count; ++i) {
      std::vector<uint8_t> hwc(3072);
      for (size_t p = 0; p < 1024; ++p)
        for (size_t c = 0; c < 3; ++c) hwc[p * 3 + c] = static_cast<uint8_t>(raw.at(i * 3073 + 1 + c * 1024 + p));
      pictures.push_back(std::move(hwc));
    }
    return pictures;
  }
  return {};
}

}  // namespace kinglet::golden
