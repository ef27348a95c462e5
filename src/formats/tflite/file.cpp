#include "formats/tflite/file.h"

#include <fmt/format.h>

#include <cstring>

#include "formats/tflite/tflite.h"

namespace kinglet::formats::tflite {

namespace {

constexpr uint64_t kMaxBytes = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
constexpr unsigned kMaxDepth = 32, kMaxTables = 1'000'000;

bool is_aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % alignof(uint64_t) == 0; }

}  // namespace

bool is_tflite(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, fb::ModelIdentifier(), 4) == 0;
}

File::File(std::span<const std::byte> bytes, std::string where)
    : bytes_(bytes), where_(std::move(where)), left_bytes_(4 * uint64_t{bytes.size()} + (1 << 20)) {
  if (bytes.size() > kMaxBytes) fail(fmt::format("has {} bytes; a .tflite file ends below 2 GiB", bytes.size()));
  if (!is_tflite(bytes)) fail(fmt::format("is not a TensorFlow Lite file ({} bytes, no 'TFL3' at byte 4)", bytes.size()));
  if (!is_aligned(bytes.data())) {
    aligned_.resize((bytes.size() + 7) / 8);
    std::memcpy(aligned_.data(), bytes.data(), bytes.size());
    bytes_ = std::as_bytes(std::span(aligned_)).first(bytes.size());
  }
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes_.data()), bytes_.size(), kMaxDepth, kMaxTables);
  if (!fb::VerifyModelBuffer(verifier)) fail("is damaged: it is no sound flatbuffer", "the file may be cut off; fetch it again");
  model_ = fb::GetModel(bytes_.data());
  check_parts();
}

void File::check_parts() {
  if (model_->version() != 3) fail(fmt::format("has format version {}; version 3 is supported", model_->version()));
  const auto* subgraphs = model_->subgraphs();
  if (!subgraphs || subgraphs->size() == 0) fail("holds no graph");
  if (subgraphs->size() != 1)
    fail(fmt::format("holds {} subgraphs; one is supported", subgraphs->size()), "control flow (IF, WHILE) cannot be imported");
  graph_ = subgraphs->Get(0);
  if (!graph_->tensors() || graph_->tensors()->size() == 0) fail("holds no tensors");
  if (!graph_->inputs() || graph_->inputs()->size() == 0) fail("has no input");
  if (!graph_->outputs() || graph_->outputs()->size() == 0) fail("has no output");
}

std::span<const std::byte> File::buffer(uint32_t index, const std::string& user) const {
  const auto* buffers = model_->buffers();
  const uint32_t count = buffers ? buffers->size() : 0;
  if (index == 0 && count == 0) return {};
  if (index >= count) throw Error(user, fmt::format("names buffer {} of {}", index, count), "the file is damaged");
  const auto* buffer = buffers->Get(index);
  if (buffer->data()) return std::as_bytes(std::span(buffer->data()->data(), buffer->data()->size()));
  if (buffer->offset() <= 1) return {};
  if (buffer->offset() > bytes_.size() || buffer->size() > bytes_.size() - buffer->offset())
    throw Error(user, fmt::format("names buffer {}, which ends at byte {} of {}", index, buffer->offset() + buffer->size(), bytes_.size()),
                "the file is cut off");
  return bytes_.subspan(buffer->offset(), buffer->size());
}

std::span<const std::byte> File::metadata(std::string_view name) const {
  if (!model_->metadata()) return {};
  for (const auto* entry : *model_->metadata())
    if (entry->name() && entry->name()->string_view() == name)
      return buffer(entry->buffer(), fmt::format("{}: metadata '{}'", where_, name));
  return {};
}

void File::spend(uint64_t bytes) {
  if (bytes > left_bytes_) fail("unfolds to many times its own size", "its tables overlap: the file is damaged or hostile");
  left_bytes_ -= bytes;
}

}  // namespace kinglet::formats::tflite
