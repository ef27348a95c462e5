#include "formats/tflite/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/sha256.h"
#include "formats/tflite/file.h"
#include "formats/tflite/metadata.h"
#include "formats/tflite/zip.h"

namespace kinglet::formats::tflite {

namespace {

using graph::InputSpec;
using graph::Origin;

constexpr size_t kMaxContractBytes = size_t{1} << 20, kMaxProvenanceBytes = 4096;
constexpr int kMaxJsonDepth = 32;

void set_origin(InputSpec& spec, std::initializer_list<const char*> fields, Origin origin) {
  for (const char* field : fields) spec.origins[field] = origin;
}

void set_normalization(InputSpec& spec, double divisor, std::vector<double> mean, std::vector<double> stddev, Origin origin) {
  spec.divisor = divisor;
  spec.mean = std::move(mean);
  spec.stddev = std::move(stddev);
  set_origin(spec, {"divisor", "mean", "std"}, origin);
}

struct Normalization {
  double divisor;
  std::vector<double> mean, stddev;
};

/// What byte 0 and 255 become, over all channels.
std::pair<double, double> real_range(const Normalization& n) {
  double low = INFINITY, high = -INFINITY;
  for (size_t c = 0; c < std::max<size_t>(n.mean.size(), 1); ++c) {
    const double mean = n.mean.empty() ? 0 : n.mean[c], stddev = n.stddev.empty() ? 1 : n.stddev[c];
    low = std::min(low, (0 - mean) / stddev);
    high = std::max(high, (255 / n.divisor - mean) / stddev);
  }
  return {low, high};
}

std::vector<Normalization> common_normalizations(int channels) {
  const std::vector<double> ones(static_cast<size_t>(channels), 1.0);
  std::vector<Normalization> list{{255, {}, {}}, {1, {}, {}}, {127.5, ones, {}}, {128, ones, {}}};
  if (channels == 3) list.push_back({255, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}});
  return list;
}

void infer_normalization(InputSpec& spec, const graph::Value& input) {
  set_normalization(spec, 255, {}, {}, Origin::assumed);
  if (input.quant.empty() || (input.dtype != DType::s8 && input.dtype != DType::u8)) return;
  const double scale = input.quant.scale[0], first = input.dtype == DType::s8 ? -128 : 0;
  const double low = scale * (first - input.quant.zero_point[0]), high = low + scale * 255, span = high - low;
  double best = 0.02 * span;
  for (const auto& n : common_normalizations(spec.channels)) {
    const auto [l, h] = real_range(n);
    const double miss = std::max(std::abs(l - low), std::abs(h - high));
    if (miss >= best) continue;
    best = miss;
    set_normalization(spec, n.divisor, n.mean, n.stddev, Origin::inferred);
  }
}

/// Height, width and channels of a picture tensor, NHWC or NCHW; zeros for anything else.
std::array<int, 3> picture_size(const Shape& s) {
  auto is_channels = [](int64_t n) { return n == 1 || n == 3; };
  if (s.rank() != 4 || s.elements() > (int64_t{1} << 30)) return {};
  if (is_channels(s[3])) return {static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3])};
  if (is_channels(s[1])) return {static_cast<int>(s[2]), static_cast<int>(s[3]), static_cast<int>(s[1])};
  return {};
}

/// Metadata's mean and std are those of bytes; the commonest are told in the commonest words.
void apply_metadata(InputSpec& spec, const Metadata& metadata, const std::string& where, const WarningCallback& warn) {
  if (metadata.order && (*metadata.order == graph::ColorOrder::gray) == (spec.channels == 1)) {
    spec.order = *metadata.order;
    spec.origins["order"] = Origin::metadata;
  }
  if (metadata.mean.empty() && metadata.stddev.empty()) return;
  const auto channels = static_cast<size_t>(spec.channels);
  auto spread = [&](std::vector<double> list, double absent) {
    if (list.empty()) list.push_back(absent);
    if (list.size() == 1) list.resize(channels, list[0]);
    return list;
  };
  const auto mean = spread(metadata.mean, 0), stddev = spread(metadata.stddev, 1);
  const bool sound = mean.size() == channels && stddev.size() == channels &&
                     std::all_of(stddev.begin(), stddev.end(), [](double s) { return s > 0 && std::isfinite(s); }) &&
                     std::all_of(mean.begin(), mean.end(), [](double m) { return std::isfinite(m); });
  if (!sound) {
    if (warn) warn(fmt::format("{}: the metadata's normalization does not fit {} channels and is ignored", where, channels));
    return;
  }
  auto all = [](const std::vector<double>& list, double value) {
    return std::all_of(list.begin(), list.end(), [&](double x) { return x == value; });
  };
  const bool one_std = all(stddev, stddev[0]);
  if (one_std && all(mean, 0))
    set_normalization(spec, stddev[0], {}, {}, Origin::metadata);
  else if (one_std && all(mean, stddev[0]))
    set_normalization(spec, stddev[0], std::vector<double>(channels, 1.0), {}, Origin::metadata);
  else
    set_normalization(spec, 1, mean, stddev, Origin::metadata);
}

/// Deep nesting would overflow the stack of whoever prints it later.
void check_depth(std::string_view text, const std::string& where) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{'))
      ++depth;
    else if (!quoted && (text[i] == ']' || text[i] == '}'))
      --depth;
    if (depth > kMaxJsonDepth) throw Error(where, fmt::format("nests deeper than {}", kMaxJsonDepth));
  }
}

/// What we wrote is as sure as the writer was: only fields that were sure then are called embedded.
void embed_origins(InputSpec& spec) {
  InputSpec all = spec;
  set_origins(all, Origin::embedded);
  for (const auto& field : weak_fields(spec)) {
    auto it = spec.origins.find(field);
    all.origins[field] = it == spec.origins.end() ? Origin::assumed : it->second;
  }
  spec = std::move(all);
}

void apply_contract(std::span<const std::byte> bytes, graph::Model& model, const std::string& where) {
  const std::string place = where + ": its '" + kContractName + "' buffer";
  if (bytes.size() > kMaxContractBytes) throw Error(place, "is too long");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check_depth(text, place);
  const Json json = parse_json(text, place);
  model.name = clean_text(json_at<std::string>(json, "name", place));
  if (json.contains("input")) {
    const auto expected = picture_size(model.graph.value(model.graph.inputs[0]).shape);
    model.input = graph::input_spec_from_json(json["input"], place);
    if (std::array{model.input.height, model.input.width, model.input.channels} != expected)
      throw Error(place, fmt::format("speaks of {}x{}x{} where the input tensor has {}", model.input.height, model.input.width,
                                     model.input.channels, model.graph.value(model.graph.inputs[0]).shape.batch_str()));
    embed_origins(model.input);
  }
  if (json.contains("provenance")) {
    if (!json["provenance"].is_object()) throw Error(place, "has a provenance that is no object");
    model.provenance = json["provenance"];
  }
}

std::vector<std::string> lines(const std::vector<std::byte>& bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> list;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    list.push_back(clean_text(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

/// The file that metadata names, else the only .txt there is.
const ZipEntry* find_labels(const std::vector<ZipEntry>& entries, const std::string& named) {
  const ZipEntry* found = nullptr;
  for (const auto& entry : entries) {
    if (!named.empty() && entry.name == named) return &entry;
    if (named.empty() && entry.name.ends_with(".txt")) {
      if (found) return nullptr;
      found = &entry;
    }
  }
  return found;
}

void read_labels(const File& file, const std::string& named, graph::Model& model, const WarningCallback& warn) {
  const auto entries = read_appended_zip(file.bytes(), file.where());
  const ZipEntry* entry = find_labels(entries, named);
  auto ignore = [&](const std::string& why) {
    if (warn) warn(file.where() + ": " + why + "; the model has no labels");
  };
  if (!entry) return named.empty() ? void() : ignore("its metadata names the label file '" + named + "', which is not there");
  const Shape& scores = model.graph.value(model.graph.outputs[0]).shape;
  auto labels = lines(entry->bytes);
  const DType type = model.graph.value(model.graph.outputs[0]).dtype;
  const bool index = type == DType::s32 || type == DType::s64;  // ARG_MAX
  if (!index && (scores.rank() == 0 || static_cast<int64_t>(labels.size()) != scores.back()))
    return ignore(
        fmt::format("'{}' has {} labels for {} scores", clean_text(entry->name), labels.size(), scores.rank() ? scores.back() : 1));
  model.labels = std::move(labels);
}

/// Metadata and labels are not needed to run the model: damage there is a warning.
template <class Read>
void tolerate(const WarningCallback& warn, Read&& read) {
  try {
    read();
  } catch (const Error& error) {
    if (warn) warn(std::string(error.what()) + "; ignored");
  }
}

}  // namespace

InputSpec infer_input_spec(const graph::Value& input) {
  InputSpec spec;
  const auto size = picture_size(input.shape);
  spec.height = size[0], spec.width = size[1], spec.channels = size[2];
  if (spec.channels == 0) return spec;
  set_origins(spec, Origin::assumed);
  spec.origins["size"] = Origin::embedded;
  if (spec.channels == 1) {
    spec.order = graph::ColorOrder::gray;
    spec.origins["order"] = Origin::embedded;
  }
  infer_normalization(spec, input);
  return spec;
}

void read_contract(const File& file, graph::Model& model, const WarningCallback& warn) {
  model.input = infer_input_spec(model.graph.value(model.graph.inputs[0]));
  Metadata metadata;
  if (const auto bytes = file.metadata(kMetadataName); !bytes.empty())
    tolerate(warn, [&] {
      metadata = parse_metadata(bytes, file.where());
      if (model.input.channels > 0) apply_metadata(model.input, metadata, file.where(), warn);
    });
  tolerate(warn, [&] { read_labels(file, metadata.label_file, model, warn); });
  if (const auto bytes = file.metadata(kContractName); !bytes.empty()) apply_contract(bytes, model, file.where());
}

namespace {
/// Text from elsewhere may not be UTF-8; JSON must be.
std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
}  // namespace

std::string contract_text(const graph::Model& model) {
  Json json = {{"version", 1}, {"tool", std::string("kinglet ") + KINGLET_VERSION}, {"name", model.name}};
  if (model.input.channels > 0) json["input"] = graph::input_spec_to_json(model.input);
  const std::string provenance = to_text(model.provenance);
  if (provenance.size() <= kMaxProvenanceBytes)
    json["provenance"] = model.provenance;
  else
    json["provenance_sha256"] = sha256(std::as_bytes(std::span(provenance)));
  return to_text(json);
}

}  // namespace kinglet::formats::tflite
