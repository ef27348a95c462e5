// QuantizeLinear and DequantizeLinear. Kinglet computes in signed bytes: unsigned ones come in with their zero points moved by 128.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::ValueId;

namespace {

/// The same numbers as signed bytes.
Tensor moved(const Tensor& tensor) {
  Tensor out(DType::s8, tensor.shape());
  auto to = out.mutable_bytes();
  std::transform(tensor.bytes().begin(), tensor.bytes().end(), to.begin(), [](std::byte b) { return b ^ std::byte{0x80}; });
  return out;
}

graph::QuantParams moved(graph::QuantParams quant) {
  for (int32_t& zero : quant.zero_point) zero -= 128;
  return quant;
}

/// The type of the integers in the file, where unsigned bytes may have come in as signed ones.
DType file_dtype(Importer& importer, const Entry& entry) {
  if (entry.tensor) return entry.tensor->dtype();
  return importer.was_moved(entry.id) ? DType::u8 : importer.graph().value(entry.id).dtype;
}

/// What a QuantizeLinear makes: its zero point's type, else what it names, else uint8.
DType made_dtype(Importer& importer, const Source& source) {
  const int64_t named = source.integer("output_dtype", 0);
  if (named != 0 && named != pb::TensorProto::INT8 && named != pb::TensorProto::UINT8) throw Unknown{fmt::format("quantizes to the element type {}", named)};
  if (!source.has_input(2)) return named == pb::TensorProto::INT8 ? DType::s8 : DType::u8;
  const Entry& zero = importer.input(source, 2);
  if (!zero.tensor) throw Unknown{"a zero point that is no constant"};
  return zero.tensor->dtype();
}

std::vector<int32_t> zero_points(Importer& importer, const Source& source, size_t count, DType dtype) {
  if (!source.has_input(2)) return std::vector<int32_t>(count, 0);
  const Entry& entry = importer.input(source, 2);
  if (!entry.tensor) throw Unknown{"a zero point that is no constant"};
  const Tensor& t = *entry.tensor;
  if (t.dtype() != dtype) throw Unknown{fmt::format("a zero point of {} for {}", dtype_name(t.dtype()), dtype_name(dtype))};
  std::vector<int32_t> list;
  if (t.dtype() == DType::s8) list.assign(t.data<int8_t>().begin(), t.data<int8_t>().end());
  else if (t.dtype() == DType::u8) list.assign(t.data<uint8_t>().begin(), t.data<uint8_t>().end());
  else if (t.dtype() == DType::s32) list.assign(t.data<int32_t>().begin(), t.data<int32_t>().end());
  else throw Unknown{"a zero point of " + std::string(dtype_name(t.dtype()))};
  if (list.size() != count) throw Error(source.where, fmt::format("has {} scales and {} zero points", count, list.size()), "the file is damaged");
  return list;
}

std::pair<int32_t, int32_t> zero_point_range(DType dtype) {
  if (dtype == DType::s8) return {-128, 127};
  if (dtype == DType::u8) return {0, 255};
  return {0, 0};
}

/// Scale and zero point; `shape` is the tensor's in the file's order.
graph::QuantParams quant_params(Importer& importer, const Source& source, const Shape& shape, DType dtype) {
  const Entry& scale = importer.float_constant(source, 1);
  if (scale.tensor->dtype() != DType::f32 || scale.tensor->elements() == 0) throw Unknown{"scales that are no numbers"};
  if (scale.tensor->shape().rank() > 1 || source.integer("block_size", 0) != 0) throw Unknown{"scales in blocks"};
  graph::QuantParams quant;
  quant.scale.assign(scale.tensor->data<float>().begin(), scale.tensor->data<float>().end());
  quant.zero_point = zero_points(importer, source, quant.scale.size(), dtype);
  for (float s : quant.scale)
    if (!(s > 0) || s > 1e30f) throw Error(source.where, fmt::format("has the impossible scale {}", s));
  const auto [low, high] = zero_point_range(dtype);
  for (int32_t zero : quant.zero_point)
    if (zero < low || zero > high) throw Error(source.where, fmt::format("has the zero point {}, outside {}..{}", zero, low, high));
  if (scale.tensor->shape().rank() == 0 || quant.scale.size() == 1) return quant;
  quant.axis = axis_of(source, source.integer("axis", 1), shape.rank());
  if (shape[quant.axis] != static_cast<int64_t>(quant.scale.size()))
    throw Error(source.where, fmt::format("has {} scales for axis {} of {}", quant.scale.size(), quant.axis, shape.str()), "the file is damaged");
  return quant;
}

Tensor quantized(const Tensor& tensor, const graph::QuantParams& quant, DType dtype) {
  Tensor out(dtype, tensor.shape());
  int64_t inner = 1;
  for (int axis = quant.axis + 1; quant.axis >= 0 && axis < tensor.shape().rank(); ++axis) inner *= tensor.shape()[axis];
  const auto x = tensor.data<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = quant.axis < 0 ? 0 : i / static_cast<size_t>(inner) % quant.scale.size();
    const double steps = std::nearbyint(x[i] / quant.scale[c]);  // halves to even, as ONNX rounds
    const auto [low, high] = zero_point_range(dtype);
    out.mutable_bytes()[i] = static_cast<std::byte>(std::isnan(steps) ? quant.zero_point[c] : static_cast<int32_t>(std::clamp(steps + quant.zero_point[c], double(low), double(high))));
  }
  return out;
}

}  // namespace

void dequantize_linear(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const DType dtype = entry.tensor ? entry.tensor->dtype() : importer.graph().value(entry.id).dtype, in_file = file_dtype(importer, entry);
  const Shape shape = entry.tensor ? entry.tensor->shape() : importer.onnx_shape(entry);
  auto quant = quant_params(importer, source, shape, in_file);
  const bool byte = dtype == DType::s8 || dtype == DType::u8;
  if (entry.tensor) {
    if ((!byte && dtype != DType::s32) || !entry.quant.empty()) throw Unknown{"dequantizes " + std::string(dtype_name(dtype))};
    if (dtype == DType::u8) entry.tensor = moved(*entry.tensor), quant = moved(quant);
    entry.quant = quant;
    entry.source = source.node.input(0) + entry.source;
    return importer.define(source, 0, std::move(entry));
  }
  if (!byte || quant.per_channel()) throw Unknown{"a quantization that is not of 8 bits per tensor"};
  if (in_file != dtype) quant = moved(quant);
  auto& value = importer.graph().value(entry.id);
  if (!value.quant.empty() && !(value.quant == quant)) throw Unknown{"another scale or zero point than its input was made with"};
  value.quant = quant;
  ValueId integers = entry.id;
  if (dtype == DType::u8)  // an input of the model
    integers = importer.emit(source, OpKind::Quantize, graph::NoAttrs{}, {entry.id}, entry.order, DType::s8, moved(quant), value.name + "/int8").id;
  Entry result = importer.emit(source, OpKind::Dequantize, graph::NoAttrs{}, {integers}, entry.order);
  result.unflattened = entry.unflattened;
  importer.define(source, 0, std::move(result));
}

void quantize_linear(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const Shape shape = entry.tensor ? entry.tensor->shape() : importer.onnx_shape(entry);
  const DType dtype = made_dtype(importer, source);
  const auto quant = quant_params(importer, source, shape, dtype);
  if (dtype != DType::s8 && dtype != DType::u8) throw Unknown{"quantizes to " + std::string(dtype_name(dtype))};
  if (entry.tensor) {  // weights that are quantized as the model runs
    if (entry.tensor->dtype() != DType::f32) throw Unknown{"quantizes no float32"};
    importer.file().spend(static_cast<uint64_t>(entry.tensor->elements()));
    entry.tensor = quantized(*entry.tensor, quant, dtype);
    return importer.define(source, 0, std::move(entry));
  }
  if (quant.per_channel()) throw Unknown{"an activation quantized per channel"};
  if (importer.graph().value(entry.id).dtype != DType::f32) throw Unknown{"quantizes no float32"};
  const bool byte = dtype == DType::u8;
  Entry result = importer.emit(source, OpKind::Quantize, graph::NoAttrs{}, {entry.id}, entry.order, DType::s8, byte ? moved(quant) : quant);
  if (byte) importer.note_moved(result.id);
  result.unflattened = entry.unflattened;
  importer.define(source, 0, std::move(result));
}

}  // namespace kinglet::formats::onnx
