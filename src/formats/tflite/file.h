// The bytes of a .tflite file after FlatBuffers' own check: every offset lies inside, every table is whole. Indices, shapes
// and sizes are not checked yet; whoever follows one asks here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/text.h"
#include "tflite_generated.h"  // made by flatc from tflite.fbs

namespace kinglet::formats::tflite {

class File {
 public:
  /// Throws Error when the bytes are no sound flatbuffer of version 3 with one subgraph.
  File(std::span<const std::byte> bytes, std::string where);

  const fb::Model& model() const { return *model_; }
  const fb::SubGraph& graph() const { return *graph_; }
  const std::string& where() const { return where_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// The data of buffer `index`, empty if it has none. `user` opens the message when the index or its place is out of range.
  std::span<const std::byte> buffer(uint32_t index, const std::string& user) const;
  /// The buffer of the metadata entry of this name, empty if there is none.
  std::span<const std::byte> metadata(std::string_view name) const;
  /// Counts bytes that will be copied. Tables of a flatbuffer may share parts, so that a small file could unfold to gigabytes:
  /// throws Error beyond a few times the file's size.
  void spend(uint64_t bytes);

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& hint = {}) const { throw Error(where_, what, hint); }
  void check_parts();

  std::vector<uint64_t> aligned_;  ///< the bytes again, if they came unaligned
  std::span<const std::byte> bytes_;
  std::string where_;
  const fb::Model* model_ = nullptr;
  const fb::SubGraph* graph_ = nullptr;
  uint64_t left_bytes_;
};

using formats::clean_text;
inline std::string clean_text(const flatbuffers::String* text) { return text ? clean_text(text->string_view()) : std::string(); }

}  // namespace kinglet::formats::tflite
