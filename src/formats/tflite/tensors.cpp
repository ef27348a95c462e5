#include "formats/tflite/tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace kinglet::formats::tflite {

namespace {

constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr size_t kMaxIntegers = 64;
constexpr float kMaxScale = 1e30f;

std::optional<DType> dtype_from_file(fb::TensorType type) {
  switch (type) {
    case fb::TensorType::FLOAT32:
      return DType::f32;
    case fb::TensorType::INT8:
      return DType::s8;
    case fb::TensorType::UINT8:
      return DType::u8;
    case fb::TensorType::INT16:
      return DType::s16;
    case fb::TensorType::INT32:
      return DType::s32;
    case fb::TensorType::INT64:
      return DType::s64;
    case fb::TensorType::BOOL:
      return DType::boolean;
    default:
      return std::nullopt;
  }
}

std::pair<int64_t, int64_t> zero_point_range(DType dtype) {
  switch (dtype) {
    case DType::s8:
      return {-128, 127};
    case DType::u8:
      return {0, 255};
    case DType::s16:
      return {-32768, 32767};
    default:
      return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
  }
}

/// FlatBuffers' check lets 64-bit elements stand at addresses that only 32-bit ones may.
int64_t read_long(const flatbuffers::Vector<int64_t>& list, uint32_t i) {
  int64_t value;
  std::memcpy(&value, list.Data() + i * sizeof value, sizeof value);
  return value;
}

}  // namespace

Tensors::Tensors(File& file, graph::Graph& graph) : file_(file), graph_(graph), values_(file.graph().tensors()->size(), graph::kNone) {}

const fb::Tensor& Tensors::at(int32_t index, const std::string& user) const {
  if (index < 0 || static_cast<size_t>(index) >= values_.size())
    throw Error(user, fmt::format("names tensor {} of {}", index, values_.size()), "the file is damaged");
  return *file_.graph().tensors()->Get(static_cast<uint32_t>(index));
}

std::string Tensors::label(int32_t index) const {
  std::string name = clean_text(at(index, file_.where()).name());
  if (name.size() > 80) name = clean_text(std::string_view(name).substr(0, 77)) + "...";
  return fmt::format("tensor {} '{}'", index, name);
}

Shape Tensors::shape(int32_t index) const {
  const auto* dims = at(index, file_.where()).shape();
  if (known(index) != graph::kNone) return graph_.value(known(index)).shape;
  if (!dims) return Shape{};
  if (dims->size() > Shape::kMaxRank)
    throw Error(where(index), fmt::format("has {} dimensions; up to {} are supported", dims->size(), Shape::kMaxRank));
  Shape shape(std::vector<int64_t>(dims->begin(), dims->end()));
  if (shape.rank() > 0 && shape[0] == -1 && !has_data(index)) shape[0] = 1;
  int64_t elements = 1;
  for (int64_t dim : shape.dims()) {
    if (dim < 0) throw Error(where(index), "has the shape " + shape.str(), "only dimension 0 may be -1");
    elements *= dim;  // stays below 2^62: both factors are at most 2^31
    if (elements > kMaxElements) throw Error(where(index), "has the shape " + shape.str() + ", more than 2^31 elements");
  }
  return shape;
}

bool Tensors::has_placeholder_shape(int32_t index) const {
  const auto* signature = at(index, file_.where()).shape_signature();
  return signature && signature->size() > 1 && std::any_of(signature->begin() + 1, signature->end(), [](int32_t dim) { return dim < 0; });
}

DType Tensors::dtype(int32_t index) const {
  const auto type = at(index, file_.where()).type();
  if (auto known = dtype_from_file(type)) return *known;
  const char* name = fb::EnumNameTensorType(type);
  throw Error(where(index),
              fmt::format("has the element type {}, which is not supported", *name ? name : std::to_string(static_cast<int>(type)).c_str()),
              "float32, int8, uint8, int16, int32, int64 and bool are");
}

bool Tensors::has_data(int32_t index) const {
  const auto& tensor = at(index, file_.where());
  return !file_.buffer(tensor.buffer(), where(index)).empty();
}

bool Tensors::is_quantized_per_channel(int32_t index) const {
  const auto* quant = at(index, file_.where()).quantization();
  return quant && quant->scale() && quant->scale()->size() > 1;
}

std::optional<std::vector<int64_t>> Tensors::integers(int32_t index, const std::string& user) const {
  const auto& tensor = at(index, user);
  const auto data = file_.buffer(tensor.buffer(), where(index));
  const DType type = dtype(index);
  if (data.empty() || (type != DType::s32 && type != DType::s64)) return std::nullopt;
  const auto n = static_cast<size_t>(shape(index).elements());
  if (data.size() != n * dtype_bytes(type))
    throw Error(where(index), fmt::format("has {} bytes of data for {} {} elements", data.size(), n, dtype_name(type)));
  if (n > kMaxIntegers) throw Error(user, fmt::format("reads {} with {} numbers where a few were expected", label(index), n));
  std::vector<int64_t> numbers(n);
  for (size_t i = 0; i < n; ++i) {
    int32_t narrow;
    std::memcpy(&narrow, data.data() + i * dtype_bytes(type), sizeof narrow);
    if (type == DType::s64)
      std::memcpy(&numbers[i], data.data() + i * sizeof(int64_t), sizeof(int64_t));
    else
      numbers[i] = narrow;
  }
  return numbers;
}

std::string Tensors::value_name(int32_t index) {
  std::string base = clean_text(at(index, file_.where()).name());
  file_.spend(base.size());
  if (base.empty()) base = fmt::format("tensor_{}", index);
  std::string name = base;
  while (names_.count(name)) name = fmt::format("{}_{}", base, names_[base]++);
  names_.emplace(name, 1);
  return name;
}

int Tensors::quantized_axis(int32_t index, const fb::QuantizationParameters& quant, const Shape& shape) {
  const int axis = quant.quantized_dimension();
  if (shape.rank() == 1 && axis != 0) {
    if (mended_axes_++ == 0) first_mended_ = fmt::format("{}, quantized_dimension {}", label(index), axis);
    return 0;
  }
  if (axis < 0 || axis >= shape.rank()) throw Error(where(index), fmt::format("is quantized along dimension {} of {}", axis, shape.str()));
  return axis;
}

graph::QuantParams Tensors::quantization(int32_t index, DType dtype, const Shape& shape) {
  const auto* quant = at(index, file_.where()).quantization();
  if (!quant || !is_integer(dtype)) return {};
  if (quant->details_type() != 0) throw Error(where(index), "is quantized in blocks or by a custom rule, which is not supported");
  const size_t n = quant->scale() ? quant->scale()->size() : 0, zeros = quant->zero_point() ? quant->zero_point()->size() : 0;
  if (n == 0) return {};
  if (zeros != 0 && zeros != n) throw Error(where(index), fmt::format("has {} scales and {} zero points", n, zeros));
  graph::QuantParams params;
  if (n > 1) {
    params.axis = quantized_axis(index, *quant, shape);
    if (static_cast<int64_t>(n) != shape[params.axis])
      throw Error(where(index), fmt::format("has {} scales for dimension {} of {}", n, params.axis, shape.str()));
    if (!has_data(index)) throw Error(where(index), "is an activation quantized per channel, which is not supported");
  }
  file_.spend(n * (sizeof(float) + sizeof(int32_t)));
  const auto [low, high] = zero_point_range(dtype);
  for (uint32_t i = 0; i < n; ++i) {
    const float scale = quant->scale()->Get(i);
    const int64_t zero_point = zeros ? read_long(*quant->zero_point(), i) : 0;
    const bool possible = scale > 0.0f || (scale == 0.0f && has_data(index));
    if (!possible || scale > kMaxScale) throw Error(where(index), fmt::format("has the impossible scale {}", scale));
    if (zero_point < low || zero_point > high)
      throw Error(where(index), fmt::format("has the zero point {}, outside {}..{}", zero_point, low, high));
    params.scale.push_back(scale);
    params.zero_point.push_back(static_cast<int32_t>(zero_point));
  }
  return params;
}

Tensor Tensors::constant(int32_t index, DType dtype, const Shape& shape) {
  const auto& tensor = at(index, file_.where());
  const auto data = file_.buffer(tensor.buffer(), where(index));
  const auto expected = static_cast<uint64_t>(shape.elements()) * dtype_bytes(dtype);
  if (data.size() != expected)
    throw Error(where(index),
                fmt::format("has {} bytes of data where {} {} needs {}", data.size(), shape.str(), dtype_name(dtype), expected));
  if (tensor.sparsity()) throw Error(where(index), "is stored sparse, which is not supported", "densify the model first");
  const uint64_t key = uint64_t{tensor.buffer()} << 8 | static_cast<uint64_t>(dtype);
  if (auto it = constants_.find(key); it != constants_.end()) return it->second.reshaped(shape);
  file_.spend(expected);
  Tensor copy(dtype, shape);
  if (!data.empty()) std::memcpy(copy.mutable_bytes().data(), data.data(), data.size());
  constants_.emplace(key, copy);
  return copy;
}

graph::ValueId Tensors::add(int32_t index, bool is_constant) {
  graph::Value value;
  value.dtype = dtype(index);
  value.shape = shape(index);
  value.quant = quantization(index, value.dtype, value.shape);
  if (is_constant) value.constant = constant(index, value.dtype, value.shape);
  value.name = value_name(index);
  return values_[static_cast<size_t>(index)] = graph_.add_value(std::move(value));
}

graph::ValueId Tensors::define(int32_t index, const std::string& user) {
  const auto& tensor = at(index, user);
  if (known(index) != graph::kNone)
    throw Error(user, fmt::format("makes {}, which something else made or read before", label(index)), "the file is damaged");
  if (!file_.buffer(tensor.buffer(), where(index)).empty())
    throw Error(user, fmt::format("makes {}, which holds constant data", label(index)), "the file is damaged");
  return add(index, false);
}

graph::ValueId Tensors::use(int32_t index, const std::string& user) {
  const auto& tensor = at(index, user);
  if (known(index) != graph::kNone) return known(index);
  if (tensor.is_variable()) throw Error(user, fmt::format("keeps state in {}, which is not supported", label(index)));
  if (!has_data(index) && shape(index).elements() != 0)
    throw Error(user, fmt::format("reads {} before any operator makes it", label(index)), "operators must come in the order they run");
  return add(index, true);
}

void Tensors::report(const WarningCallback& warn) const {
  if (warn && mended_axes_ > 0)
    warn(fmt::format("{}: {} rank-1 tensors name a quantized dimension they do not have (first: {}); taken as 0", file_.where(),
                     mended_axes_, first_mended_));
}

}  // namespace kinglet::formats::tflite
