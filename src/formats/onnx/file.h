// The bytes of an .onnx file after protobuf's own check: every field is whole. Names, types and sizes are not checked yet;
// whoever uses one asks here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "base/tensor.h"
#include "formats/text.h"
#include "kinglet_onnx.pb.h"  // made by protoc from libonnx-dev's onnx.proto

namespace kinglet::formats::onnx {

namespace pb = ::kinglet_onnx;

class File {
 public:
  /// Throws Error when the bytes are no sound message, or of an operator set before 7.
  File(std::span<const std::byte> bytes, std::string where);

  const pb::ModelProto& model() const { return model_; }
  const pb::GraphProto& graph() const { return model_.graph(); }
  const std::string& where() const { return where_; }
  int64_t opset() const { return opset_; }
  /// The text of this entry of metadata_props, nullptr if there is none.
  const std::string* metadata(std::string_view key) const;

  /// The elements of a tensor in the file, in the file's order. Throws Error opened by `user` for types Kinglet has not, data
  /// outside the file, or another number of elements than the shape says.
  Tensor tensor(const pb::TensorProto& proto, const std::string& user);
  /// Counts bytes that will be made from the file's: throws Error beyond a few times its size, so that a small file whose
  /// nodes all name one large tensor cannot unfold to gigabytes.
  void spend(uint64_t bytes);

 private:
  pb::ModelProto model_;
  std::string where_;
  int64_t opset_ = 0;
  uint64_t left_bytes_;
};

/// Kinglet's type for ONNX's number of one. Throws Error opened by `user` where there is none.
DType dtype_of(int32_t elem_type, const std::string& user);
int32_t elem_type_of(DType dtype);

}  // namespace kinglet::formats::onnx
