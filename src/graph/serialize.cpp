#include "graph/serialize.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <functional>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "graph/verify.h"

// Layout: "KINGLET1" | u32 version | u32 section count | per section: char name[24], u64 offset, u64 bytes, u32 crc32,
// u32 zero | u32 crc32 of all before | sections, each at a multiple of 64. Section "index" is JSON; "constants" holds the
// tensors, each at a multiple of 64 within it; others belong to Model::sections.

namespace kinglet::graph {

namespace {

constexpr std::string_view kMagic = "KINGLET1";
constexpr uint32_t kVersion = 1;
constexpr size_t kNameBytes = 24, kAlign = 64, kMaxSections = 256;
constexpr int64_t kMaxValues = 1 << 20;

uint32_t crc(std::span<const std::byte> bytes) {
  uLong sum = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const size_t n = std::min<size_t>(bytes.size(), 1u << 30);
    sum = crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(n));
    bytes = bytes.subspan(n);
  }
  return static_cast<uint32_t>(sum);
}

Json quant_to_json(const QuantParams& q) { return {{"scale", q.scale}, {"zero_point", q.zero_point}, {"axis", q.axis}}; }

QuantParams quant_from_json(const Json& json, const std::string& where) {
  return {json_at<std::vector<float>>(json, "scale", where), json_at<std::vector<int32_t>>(json, "zero_point", where), json_at<int>(json, "axis", where)};
}

/// Puts a constant where the file keeps it and says in `json` where that is.
using Store = std::function<void(ValueId v, const Tensor& tensor, Json& json)>;

Json value_to_json(const Value& value, ValueId v, const Store& store) {
  Json json = {{"name", value.name}, {"dtype", dtype_name(value.dtype)}, {"shape", value.shape.dims()}};
  if (!value.quant.empty()) json["quant"] = quant_to_json(value.quant);
  if (value.constant) {
    store(v, *value.constant, json);
    json["trainable"] = value.trainable;
  }
  return json;
}

/// Everything but the constant.
Value value_from_json(const Json& json, const std::string& where) {
  Value value;
  value.name = json_at<std::string>(json, "name", where);
  const std::string at = where + ": value '" + value.name + "'";
  value.dtype = dtype_from_name(json_at<std::string>(json, "dtype", at));
  value.shape = Shape(std::span<const int64_t>(json_at<std::vector<int64_t>>(json, "shape", at)));
  (void)value.shape.elements();
  if (json.contains("quant")) value.quant = quant_from_json(json["quant"], at);
  if (json.contains("trainable")) value.trainable = json_at<bool>(json, "trainable", at);
  return value;
}

Tensor stored_constant(const Json& json, const Value& value, std::span<const std::byte> constants, const std::string& where) {
  const std::string at = where + ": value '" + value.name + "'";
  ByteReader reader(constants, at);
  reader.seek(json_at<size_t>(json, "offset", at));
  const auto count = static_cast<size_t>(value.shape.elements());
  if (count > reader.left()) reader.fail("is larger than the file");
  auto raw = reader.take(count * dtype_bytes(value.dtype));
  Tensor tensor(value.dtype, value.shape);
  std::copy(raw.begin(), raw.end(), tensor.mutable_bytes().begin());
  return tensor;
}

Json node_to_json(const Node& node) {
  Json json = {{"op", op_name(node.op)}, {"name", node.name}, {"inputs", node.inputs}, {"outputs", node.outputs}, {"attrs", attrs_to_json(node.attrs)}};
  if (!node.origin.empty()) json["origin"] = node.origin;
  if (node.rule == NodeRule::legacy_u8) json["rule"] = "legacy_u8";
  return json;
}

Node node_from_json(const Json& json, const std::string& where) {
  Node node;
  node.name = json_at<std::string>(json, "name", where);
  const std::string at = where + ": node '" + node.name + "'";
  node.op = op_from_name(json_at<std::string>(json, "op", at), at);
  node.inputs = json_at<std::vector<ValueId>>(json, "inputs", at);
  node.outputs = json_at<std::vector<ValueId>>(json, "outputs", at);
  node.attrs = attrs_from_json(node.op, json.value("attrs", Json::object()), at);
  if (json.contains("origin")) node.origin = json_at<std::string>(json, "origin", at);
  if (json.contains("rule")) {
    if (json_at<std::string>(json, "rule", at) != "legacy_u8") throw Error(at, "has a numerics rule this version does not know");
    node.rule = NodeRule::legacy_u8;
  }
  return node;
}

Json index_to_json(const Model& model, const Store& store) {
  Json values = Json::array(), nodes = Json::array();
  for (ValueId v = 0; v < model.graph.value_count(); ++v) values.push_back(value_to_json(model.graph.value(v), v, store));
  for (const Node& node : model.graph.nodes()) nodes.push_back(node_to_json(node));
  Json json = {{"name", model.name}, {"inputs", model.graph.inputs}, {"outputs", model.graph.outputs}, {"values", values}, {"nodes", nodes}};
  if (model.input.channels > 0) json["input_spec"] = input_spec_to_json(model.input);
  json["labels"] = model.labels;
  json["provenance"] = model.provenance;
  return json;
}

const Json& array_at(const Json& json, const char* key, const std::string& where) {
  if (!json.contains(key) || !json[key].is_array()) json_key_error(key, where, "must be a list");
  if (static_cast<int64_t>(json[key].size()) > kMaxValues) json_key_error(key, where, "is too long");
  return json[key];
}

/// `place` gives a value its constant where its JSON says that it has one.
Model model_from_json(const Json& json, const std::string& where, const std::function<void(const Json&, ValueId, Value&)>& place) {
  Model model;
  model.name = json_at<std::string>(json, "name", where);
  for (const Json& item : array_at(json, "values", where)) {
    const ValueId v = model.graph.add_value(value_from_json(item, where));
    place(item, v, model.graph.value(v));
  }
  for (const Json& item : array_at(json, "nodes", where)) model.graph.add_node(node_from_json(item, where));
  model.graph.inputs = json_at<std::vector<ValueId>>(json, "inputs", where);
  model.graph.outputs = json_at<std::vector<ValueId>>(json, "outputs", where);
  if (json.contains("input_spec")) model.input = input_spec_from_json(json["input_spec"], where + ": input contract");
  model.labels = json_at<std::vector<std::string>>(json, "labels", where);
  if (json.contains("provenance")) model.provenance = json["provenance"];
  return model;
}

struct Section {
  std::string name;
  std::span<const std::byte> bytes;
};

std::vector<Section> read_sections(std::span<const std::byte> bytes, const std::string& where) {
  ByteReader reader(bytes, where);
  if (reader.left() < kMagic.size() || reader.take_text(kMagic.size()) != kMagic) throw Error(where, "is not a Kinglet file (it does not begin with KINGLET1)");
  const auto version = reader.read<uint32_t>();
  if (version != kVersion) throw Error(where, fmt::format("is of file version {}, this program reads {}", version, kVersion), "use a newer Kinglet");
  const auto count = reader.read<uint32_t>();
  if (count > kMaxSections) reader.fail(fmt::format("claims {} sections", count));
  std::vector<Section> sections;
  std::vector<uint32_t> sums;
  for (uint32_t i = 0; i < count; ++i) {
    std::string name(reader.take_text(kNameBytes));
    name.resize(std::min(name.find('\0'), name.size()));
    const auto offset = reader.read<uint64_t>(), size = reader.read<uint64_t>();
    sums.push_back(reader.read<uint32_t>());
    (void)reader.read<uint32_t>();
    if (offset > bytes.size() || size > bytes.size() - offset) reader.fail(fmt::format("section '{}' reaches beyond the end", name));
    sections.push_back({name, bytes.subspan(offset, size)});
  }
  const size_t header = reader.at();
  if (reader.read<uint32_t>() != crc(bytes.first(header))) reader.fail("the header's checksum is wrong");
  for (uint32_t i = 0; i < count; ++i)
    if (crc(sections[i].bytes) != sums[i]) reader.fail(fmt::format("the checksum of section '{}' is wrong", sections[i].name));
  return sections;
}

void write_header_row(ByteWriter& out, const std::string& name, uint64_t offset, std::span<const std::byte> bytes) {
  KINGLET_CHECK(name.size() < kNameBytes, name);
  std::string padded = name;
  padded.resize(kNameBytes, '\0');
  out.append(padded);
  out.write<uint64_t>(offset);
  out.write<uint64_t>(bytes.size());
  out.write<uint32_t>(crc(bytes));
  out.write<uint32_t>(0);
}

}  // namespace

std::vector<std::byte> serialize(const Model& model) {
  ByteWriter constants;
  const Store store = [&](ValueId, const Tensor& tensor, Json& json) {
    constants.align(kAlign);
    json["offset"] = constants.at();
    constants.append(tensor.bytes());
  };
  const std::string index = index_to_json(model, store).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::vector<Section> sections{{"index", std::as_bytes(std::span(index))}, {"constants", constants.bytes()}};
  for (const auto& [name, bytes] : model.sections) sections.push_back({name, bytes});

  auto up = [](size_t n) { return (n + kAlign - 1) / kAlign * kAlign; };
  ByteWriter out;
  out.append(kMagic);
  out.write<uint32_t>(kVersion);
  out.write<uint32_t>(static_cast<uint32_t>(sections.size()));
  size_t at = up(kMagic.size() + 8 + sections.size() * (kNameBytes + 24) + 4);
  for (const Section& section : sections) {
    write_header_row(out, section.name, at, section.bytes);
    at = up(at + section.bytes.size());
  }
  out.write<uint32_t>(crc(out.bytes()));
  for (const Section& section : sections) out.align(kAlign), out.append(section.bytes);
  return std::move(out.bytes());
}

Model deserialize(std::span<const std::byte> bytes, const std::string& where) {
  const auto sections = read_sections(bytes, where);
  auto find = [&](const std::string& name) -> const Section& {
    auto it = std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.name == name; });
    if (it == sections.end()) throw Error(where, "has no section '" + name + "'");
    return *it;
  };
  const Section& index = find("index");
  const std::string_view text{reinterpret_cast<const char*>(index.bytes.data()), index.bytes.size()};
  const auto constants = find("constants").bytes;
  Model model = model_from_json(parse_json(text, where), where, [&](const Json& json, ValueId, Value& value) {
    if (json.contains("offset")) value.constant = stored_constant(json, value, constants, where);
  });
  verify_structure(model.graph, where);
  for (const Section& s : sections)
    if (s.name != "index" && s.name != "constants") model.sections[s.name] = {s.bytes.begin(), s.bytes.end()};
  return model;
}

std::string model_to_index(const Model& model, const std::vector<std::string>& tensor_names) {
  const Store store = [&](ValueId v, const Tensor&, Json& json) { json["tensor"] = tensor_names.at(static_cast<size_t>(v)); };
  return index_to_json(model, store).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Model model_from_index(std::string_view text, const std::string& where, std::vector<std::pair<ValueId, std::string>>& wanted) {
  return model_from_json(parse_json(text, where), where, [&](const Json& json, ValueId v, Value&) {
    if (json.contains("tensor")) wanted.emplace_back(v, json_at<std::string>(json, "tensor", where));
  });
}

void save(const Model& model, const std::filesystem::path& path) { write_file(path, serialize(model)); }
Model load(const std::filesystem::path& path) { return deserialize(read_file(path), path.string()); }

}  // namespace kinglet::graph
