#include "formats/tflite/metadata.h"

#include <cstring>

#include "base/error.h"
#include "formats/tflite/file.h"
#include "metadata_generated.h"  // made by flatc from metadata.fbs

namespace kinglet::formats::tflite {

namespace {

constexpr size_t kMaxChannels = 16;

std::vector<double> channel_values(const flatbuffers::Vector<float>* list, const std::string& where) {
  if (!list) return {};
  if (list->size() > kMaxChannels) throw Error(where, "normalizes " + std::to_string(list->size()) + " channels");
  return {list->begin(), list->end()};
}

void read_input(const meta::TensorMetadata& tensor, Metadata& out, const std::string& where) {
  const auto* image = tensor.content() ? tensor.content()->content_properties_as_ImageProperties() : nullptr;
  if (image && image->color_space() == meta::ColorSpaceType::RGB) out.order = graph::ColorOrder::rgb;
  if (image && image->color_space() == meta::ColorSpaceType::GRAYSCALE) out.order = graph::ColorOrder::gray;
  if (!tensor.process_units()) return;
  for (const auto* unit : *tensor.process_units()) {
    const auto* options = unit->options_as_NormalizationOptions();
    if (!options) continue;
    out.mean = channel_values(options->mean(), where);
    out.stddev = channel_values(options->std(), where);
  }
}

void read_output(const meta::TensorMetadata& tensor, Metadata& out) {
  if (!tensor.associated_files()) return;
  for (const auto* file : *tensor.associated_files())
    if (file->type() == meta::AssociatedFileType::TENSOR_AXIS_LABELS && file->name() && out.label_file.empty())
      out.label_file = clean_text(file->name());
}

template <class List>
const meta::TensorMetadata* first(const List* list) {
  return list && list->size() > 0 ? list->Get(0) : nullptr;
}

/// real = (byte / divisor - mean) / std, written as (byte - mean * divisor) / (std * divisor).
std::vector<float> byte_values(const graph::InputSpec& spec, const std::vector<double>& list, double absent) {
  std::vector<float> values;
  for (size_t c = 0; c < static_cast<size_t>(spec.channels); ++c)
    values.push_back(static_cast<float>((list.empty() ? absent : list[c]) * spec.divisor));
  return values;
}

flatbuffers::Offset<meta::TensorMetadata> build_input(flatbuffers::FlatBufferBuilder& b, const graph::InputSpec& spec) {
  const auto color = spec.order == graph::ColorOrder::gray  ? meta::ColorSpaceType::GRAYSCALE
                     : spec.order == graph::ColorOrder::rgb ? meta::ColorSpaceType::RGB
                                                            : meta::ColorSpaceType::UNKNOWN;
  const auto size = meta::CreateImageSize(b, static_cast<uint32_t>(spec.width), static_cast<uint32_t>(spec.height));
  const auto image = meta::CreateImageProperties(b, color, size);
  const auto content = meta::CreateContent(b, meta::ContentProperties::ImageProperties, image.Union());
  const auto mean = byte_values(spec, spec.mean, 0.0), stddev = byte_values(spec, spec.stddev, 1.0);
  const auto options = meta::CreateNormalizationOptionsDirect(b, &mean, &stddev);
  const std::vector units{meta::CreateProcessUnit(b, meta::ProcessUnitOptions::NormalizationOptions, options.Union())};
  const std::vector<float> max{255.0f}, min{0.0f};
  const auto stats = meta::CreateStatsDirect(b, &max, &min);
  const std::string text = graph::describe(spec);
  return meta::CreateTensorMetadataDirect(b, "image", text.c_str(), nullptr, content, &units, stats);
}

flatbuffers::Offset<meta::TensorMetadata> build_output(flatbuffers::FlatBufferBuilder& b, const std::string& label_file) {
  const auto content = meta::CreateContent(b, meta::ContentProperties::FeatureProperties, meta::CreateFeatureProperties(b).Union());
  std::vector<flatbuffers::Offset<meta::AssociatedFile>> files;
  if (!label_file.empty())
    files.push_back(meta::CreateAssociatedFileDirect(b, label_file.c_str(), "One label a line, in the order of the scores.",
                                                     meta::AssociatedFileType::TENSOR_AXIS_LABELS));
  return meta::CreateTensorMetadataDirect(b, "scores", "One score a class.", nullptr, content, nullptr, 0,
                                          files.empty() ? nullptr : &files);
}

}  // namespace

Metadata parse_metadata(std::span<const std::byte> bytes, const std::string& where) {
  const std::string place = where + ": the TensorFlow Lite metadata";
  std::vector<uint64_t> aligned((bytes.size() + 7) / 8);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(aligned.data()), bytes.size(), 32, 10'000);
  if (bytes.size() < 8 || !meta::VerifyModelMetadataBuffer(verifier)) throw Error(place, "is damaged");
  const auto* root = meta::GetModelMetadata(aligned.data());
  Metadata out{.name = clean_text(root->name()),
               .description = clean_text(root->description()),
               .author = clean_text(root->author()),
               .license = clean_text(root->license())};
  const auto* graph = root->subgraph_metadata() && root->subgraph_metadata()->size() > 0 ? root->subgraph_metadata()->Get(0) : nullptr;
  if (!graph) return out;
  if (const auto* input = first(graph->input_tensor_metadata())) read_input(*input, out, place);
  if (const auto* output = first(graph->output_tensor_metadata())) read_output(*output, out);
  return out;
}

std::vector<std::byte> build_metadata(const graph::Model& model, const std::string& label_file) {
  flatbuffers::FlatBufferBuilder b;
  // Metadata lists every input and output in order; only the first of each is a picture and its scores.
  std::vector<flatbuffers::Offset<meta::TensorMetadata>> inputs, outputs;
  for (size_t i = 0; i < model.graph.inputs.size(); ++i)
    inputs.push_back(i == 0 && model.input.channels > 0
                         ? build_input(b, model.input)
                         : meta::CreateTensorMetadataDirect(b, model.graph.value(model.graph.inputs[i]).name.c_str()));
  for (size_t i = 0; i < model.graph.outputs.size(); ++i)
    outputs.push_back(i == 0 ? build_output(b, label_file)
                             : meta::CreateTensorMetadataDirect(b, model.graph.value(model.graph.outputs[i]).name.c_str()));
  const std::vector graphs{meta::CreateSubGraphMetadataDirect(b, nullptr, nullptr, &inputs, &outputs)};
  meta::FinishModelMetadataBuffer(
      b, meta::CreateModelMetadataDirect(b, model.name.c_str(), nullptr, nullptr, &graphs, nullptr, nullptr, nullptr, "1.0.0"));
  const auto bytes = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace kinglet::formats::tflite
