#include "formats/safetensors/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/json.h"
#include "formats/half.h"
#include "formats/text.h"

namespace kinglet::formats::safetensors {

namespace {

using Bytes = std::span<const std::byte>;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxTensors = 100'000, kAlign = 8;

struct Type {
  std::string_view name;
  DType dtype;  ///< what it becomes
  size_t bytes;
};
constexpr auto kTypes = std::to_array<Type>({
    {"F32", DType::f32, 4},
    {"F64", DType::f32, 8},
    {"F16", DType::f32, 2},
    {"BF16", DType::f32, 2},
    {"I64", DType::s64, 8},
    {"I32", DType::s32, 4},
    {"I16", DType::s16, 2},
    {"I8", DType::s8, 1},
    {"U8", DType::u8, 1},
    {"BOOL", DType::boolean, 1},
});

const Type& type_named(const std::string& name, const std::string& place) {
  for (const Type& type : kTypes)
    if (type.name == name) return type;
  throw Error(place, fmt::format("is of type '{}', which is not supported", clean_text(name)), "save the model in float32");
}

std::string_view type_name(DType dtype) {
  for (const Type& type : kTypes)
    if (type.dtype == dtype && type.bytes == dtype_bytes(dtype)) return type.name;
  KINGLET_CHECK(false);
}

template <class From, class Convert>
void convert_all(Bytes raw, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    From x;
    std::memcpy(&x, &raw[i * sizeof x], sizeof x);
    out[i] = convert(x);
  }
}

Tensor tensor_of(const Type& type, const Shape& shape, Bytes raw) {
  Tensor out(type.dtype, shape);
  if (type.name == "F64") convert_all<double>(raw, out.mutable_data<float>(), [](double x) { return static_cast<float>(x); });
  else if (type.name == "F16") convert_all<uint16_t>(raw, out.mutable_data<float>(), from_half);
  else if (type.name == "BF16") convert_all<uint16_t>(raw, out.mutable_data<float>(), from_bfloat16);
  else if (!raw.empty()) std::memcpy(out.mutable_bytes().data(), raw.data(), raw.size());
  return out;
}

struct Row {
  std::string name;
  const Type* type;
  Shape shape;
  uint64_t begin, end;
};

Row read_row(const std::string& name, const Json& json, const std::string& where) {
  const std::string place = fmt::format("{}: tensor '{}'", where, clean_text(name));
  const Type& type = type_named(json_at<std::string>(json, "dtype", place), place);
  const auto dims = json_at<std::vector<int64_t>>(json, "shape", place);
  const auto offsets = json_at<std::vector<uint64_t>>(json, "data_offsets", place);
  if (offsets.size() != 2 || offsets[1] < offsets[0]) throw Error(place, "has no sound data_offsets", "the file is damaged");
  if (dims.size() > Shape::kMaxRank) throw Error(place, fmt::format("has {} dimensions; {} are supported", dims.size(), Shape::kMaxRank));
  const Shape shape(dims);
  if (static_cast<uint64_t>(shape.elements()) * type.bytes != offsets[1] - offsets[0])
    throw Error(place, fmt::format("has {} bytes for the shape {}", offsets[1] - offsets[0], shape.str()), "the file is damaged");
  return {name, &type, shape, offsets[0], offsets[1]};
}

/// The format asks that tensors follow one another without holes, so nothing can hide between them and nothing be read twice.
void check_cover(std::vector<Row> rows, uint64_t size, const std::string& where) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  uint64_t at = 0;
  for (const Row& row : rows) {
    if (row.begin != at) throw Error(fmt::format("{}: tensor '{}'", where, clean_text(row.name)), row.begin < at ? "overlaps another" : "follows a hole", "the file is damaged");
    at = row.end;
  }
  if (at != size) throw Error(where, fmt::format("has {} bytes of tensors where its header speaks of {}", size, at), "the file is damaged or cut off");
}

}  // namespace

bool is_safetensors(Bytes bytes) {
  if (bytes.size() < 10) return false;
  uint64_t header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header >= 2 && header <= bytes.size() - 8 && bytes[8] == std::byte{'{'};
}

StateDict read_state(Bytes bytes, const std::string& where, const WarningCallback&) {
  ByteReader reader(bytes, where);
  const auto header_bytes = reader.read<uint64_t>();
  if (header_bytes > kMaxHeaderBytes) throw Error(where, fmt::format("claims a header of {} bytes", header_bytes), "the file is damaged");
  const Json header = parse_json(reader.take_text(header_bytes), where);
  if (!header.is_object()) throw Error(where, "has a header that is no object", "the file is damaged");
  if (header.size() > kMaxTensors) throw Error(where, fmt::format("holds more than {} tensors", kMaxTensors));
  const Bytes data = reader.take(reader.left());
  StateDict state;
  state.where = where;
  std::vector<Row> rows;
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") rows.push_back(read_row(name, json, where));
    else if (json.is_object())
      for (const auto& [key, value] : json.items())
        if (value.is_string()) state.metadata[key] = value.get<std::string>();
  }
  check_cover(rows, data.size(), where);
  for (const Row& row : rows) state.tensors.emplace_back(row.name, tensor_of(*row.type, row.shape, data.subspan(row.begin, row.end - row.begin)));
  return state;
}

std::vector<std::byte> write_state(const StateDict& state) {
  Json header = Json::object();
  if (!state.metadata.empty()) header["__metadata__"] = state.metadata;
  // Widest elements first keeps every tensor aligned without holes between them.
  std::vector<size_t> sequence(state.tensors.size());
  for (size_t i = 0; i < sequence.size(); ++i) sequence[i] = i;
  std::stable_sort(sequence.begin(), sequence.end(), [&](size_t a, size_t b) { return dtype_bytes(state.tensors[a].second.dtype()) > dtype_bytes(state.tensors[b].second.dtype()); });
  uint64_t at = 0;
  for (size_t i : sequence) {
    const auto& [name, tensor] = state.tensors[i];
    header[name] = {{"dtype", type_name(tensor.dtype())}, {"shape", tensor.shape().dims()}, {"data_offsets", {at, at + tensor.size_bytes()}}};
    at += tensor.size_bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + kAlign - 1) / kAlign * kAlign, ' ');
  ByteWriter out;
  out.write<uint64_t>(text.size());
  out.append(text);
  for (size_t i : sequence) out.append(state.tensors[i].second.bytes());
  return std::move(out.bytes());
}

}  // namespace kinglet::formats::safetensors
