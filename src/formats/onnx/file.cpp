#include "formats/onnx/file.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>

#include <cstring>
#include <limits>

#include "formats/onnx/onnx.h"

namespace kinglet::formats::onnx {

namespace {

constexpr int kMaxDepth = 48;
constexpr int kMaxNodes = 100000;

/// The version of the standard operators; 0 if the file names none.
int64_t standard_opset(const pb::ModelProto& model) {
  for (const auto& set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx") return set.version();
  return 0;
}

Shape shape_of(const pb::TensorProto& proto, const std::string& user) {
  for (int64_t dim : proto.dims())
    if (dim < 0) throw Error(user, fmt::format("has a dimension of {}", dim), "the file is damaged");
  if (proto.dims_size() > Shape::kMaxRank) throw Error(user, fmt::format("has {} dimensions; {} are supported", proto.dims_size(), Shape::kMaxRank));
  return Shape(std::span<const int64_t>(proto.dims().data(), static_cast<size_t>(proto.dims_size())));
}

[[noreturn]] void wrong_size(const std::string& user, const Shape& shape, size_t have, const char* unit) {
  throw Error(user, fmt::format("has {} {} for the shape {}", have, unit, shape.str()), "the file is damaged");
}

/// int32_data holds every integer of up to 32 bits, one a number.
template <class To, class Field>
void copy_field(Tensor& tensor, const Field& field, const std::string& user) {
  if (field.size() != tensor.elements()) wrong_size(user, tensor.shape(), static_cast<size_t>(field.size()), "elements");
  auto out = tensor.mutable_data<To>();
  for (size_t i = 0; i < out.size(); ++i) {
    const auto value = field.Get(static_cast<int>(i));
    if constexpr (sizeof(To) < sizeof(value))
      if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max())
        throw Error(user, fmt::format("has the element {}, outside its type", value), "the file is damaged");
    out[i] = static_cast<To>(value);
  }
}

void copy_typed(Tensor& tensor, const pb::TensorProto& proto, const std::string& user) {
  switch (tensor.dtype()) {
    case DType::f32:
      return copy_field<float>(tensor, proto.float_data(), user);
    case DType::s8:
      return copy_field<int8_t>(tensor, proto.int32_data(), user);
    case DType::u8:
      return copy_field<uint8_t>(tensor, proto.int32_data(), user);
    case DType::s16:
      return copy_field<int16_t>(tensor, proto.int32_data(), user);
    case DType::s32:
      return copy_field<int32_t>(tensor, proto.int32_data(), user);
    case DType::s64:
      return copy_field<int64_t>(tensor, proto.int64_data(), user);
    case DType::boolean:
      break;
  }
  throw Error(user, "holds truth values in a way that is not supported");
}

}  // namespace

bool is_onnx(std::span<const std::byte> bytes) {
  if (bytes.size() < 4 || bytes[0] != std::byte{0x08} || bytes[1] < std::byte{1} || bytes[1] > std::byte{64}) return false;
  const auto tag = std::to_integer<uint8_t>(bytes[2]);  // field number and wire type: 2 is text or a message, 0 a number
  for (int text_field : {2, 3, 4, 6, 7, 8, 14})
    if (tag == (text_field << 3 | 2)) return true;
  return tag == 5 << 3;
}

File::File(std::span<const std::byte> bytes, std::string where)
    : where_(std::move(where)), left_bytes_(12 * uint64_t{bytes.size()} + (1 << 20)) {
  if (bytes.size() >= size_t{1} << 31) throw Error(where_, fmt::format("has {} bytes; an .onnx file ends below 2 GiB", bytes.size()));
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kMaxDepth);
  if (!model_.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    throw Error(where_, "is damaged: it is no sound ONNX message", "the file may be cut off; fetch it again");
  if (!model_.has_graph()) throw Error(where_, "holds no graph");
  if (graph().node_size() > kMaxNodes) throw Error(where_, fmt::format("has {} nodes; {} are supported", graph().node_size(), kMaxNodes));
  opset_ = standard_opset(model_);
  if (opset_ < 7) throw Error(where_, fmt::format("uses operator set {}; 7 and later are supported", opset_), "convert it with onnx.version_converter");
}

const std::string* File::metadata(std::string_view key) const {
  for (const auto& entry : model_.metadata_props())
    if (entry.key() == key) return &entry.value();
  return nullptr;
}

void File::spend(uint64_t bytes) {
  if (bytes > left_bytes_) throw Error(where_, "unfolds to many times its own size", "the file is damaged or hostile");
  left_bytes_ -= bytes;
}

Tensor File::tensor(const pb::TensorProto& proto, const std::string& user) {
  if (proto.data_location() == pb::TensorProto::EXTERNAL || proto.external_data_size() > 0)
    throw Error(user, "keeps its data in another file", "save the model with its data inside (onnx.save with save_as_external_data=False)");
  if (proto.has_segment()) throw Error(user, "is one of several segments, which is not supported");
  const DType dtype = dtype_of(proto.data_type(), user);
  const Shape shape = shape_of(proto, user);
  const uint64_t size = static_cast<uint64_t>(shape.elements()) * dtype_bytes(dtype);
  if (proto.has_raw_data() && proto.raw_data().size() != size) wrong_size(user, shape, proto.raw_data().size(), "bytes");
  spend(size);
  Tensor tensor(dtype, shape);
  if (proto.has_raw_data()) {
    if (size) std::memcpy(tensor.mutable_bytes().data(), proto.raw_data().data(), size);
  } else {
    copy_typed(tensor, proto, user);
  }
  return tensor;
}

DType dtype_of(int32_t elem_type, const std::string& user) {
  switch (elem_type) {
    case pb::TensorProto::FLOAT:
      return DType::f32;
    case pb::TensorProto::INT8:
      return DType::s8;
    case pb::TensorProto::UINT8:
      return DType::u8;
    case pb::TensorProto::INT16:
      return DType::s16;
    case pb::TensorProto::INT32:
      return DType::s32;
    case pb::TensorProto::INT64:
      return DType::s64;
    case pb::TensorProto::BOOL:
      return DType::boolean;
  }
  const bool half = elem_type == pb::TensorProto::FLOAT16 || elem_type == pb::TensorProto::BFLOAT16;
  throw Error(user, fmt::format("has the element type {}{}, which is not supported", elem_type, half ? " (16-bit float)" : ""),
              half ? "export the model in float32" : "");
}

int32_t elem_type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return pb::TensorProto::FLOAT;
    case DType::s8:
      return pb::TensorProto::INT8;
    case DType::u8:
      return pb::TensorProto::UINT8;
    case DType::s16:
      return pb::TensorProto::INT16;
    case DType::s32:
      return pb::TensorProto::INT32;
    case DType::s64:
      return pb::TensorProto::INT64;
    case DType::boolean:
      return pb::TensorProto::BOOL;
  }
  KINGLET_CHECK(false);
}

}  // namespace kinglet::formats::onnx
