#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/tflite/zip.h"
#include "formats/torch_pth/torch_pth.h"

namespace kinglet::formats::torch_pth {

namespace {

/// The few operations of Python's pickle protocol 2 that a state dictionary needs, all of which weights_only allows.
class PickleWriter {
 public:
  PickleWriter() { raw("\x80\x02"); }

  void raw(std::string_view text) { out_.append(text); }
  void global(std::string_view module, std::string_view name) { raw(fmt::format("c{}\n{}\n", module, name)); }
  void text(std::string_view value) {
    out_.write<uint8_t>('X');
    out_.write<uint32_t>(static_cast<uint32_t>(value.size()));
    out_.append(value);
  }
  void integer(int64_t value) {
    if (value >= 0 && value <= INT32_MAX) {
      out_.write<uint8_t>('J');
      out_.write<int32_t>(static_cast<int32_t>(value));
    } else {
      out_.write<uint8_t>(0x8a);
      out_.write<uint8_t>(8);
      out_.write<int64_t>(value);
    }
  }
  void tuple(const std::vector<int64_t>& values) {
    if (values.empty()) return raw(")");
    raw("(");
    for (int64_t value : values) integer(value);
    raw("t");
  }
  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    raw(")R");
  }
  std::vector<std::byte> take() { return std::move(out_.bytes()); }

 private:
  ByteWriter out_;
};

std::string_view storage_name(DType dtype) {
  switch (dtype) {
    case DType::f32: return "FloatStorage";
    case DType::s8: return "CharStorage";
    case DType::u8: return "ByteStorage";
    case DType::s16: return "ShortStorage";
    case DType::s32: return "IntStorage";
    case DType::s64: return "LongStorage";
    case DType::boolean: return "BoolStorage";
  }
  KINGLET_CHECK(false);
}

/// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks) over the storage that file data/`key` holds.
void write_tensor(PickleWriter& out, const Tensor& tensor, size_t key) {
  const auto dims = tensor.shape().dims();
  std::vector<int64_t> size(dims.begin(), dims.end()), stride(size.size(), 1);
  for (size_t i = size.size(); i-- > 1;) stride[i - 1] = stride[i] * size[i];
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.raw("((");
  out.text("storage");
  out.global("torch", storage_name(tensor.dtype()));
  out.text(std::to_string(key));
  out.text("cpu");
  out.integer(tensor.elements());
  out.raw("tQ");
  out.integer(0);
  out.tuple(size);
  out.tuple(stride);
  out.raw("\x89");
  out.empty_ordered_dict();
  out.raw("tR");
}

std::vector<std::byte> write_pickle(const StateDict& state) {
  PickleWriter out;
  out.empty_ordered_dict();
  out.raw("(");
  for (size_t i = 0; i < state.tensors.size(); ++i) {
    out.text(state.tensors[i].first);
    write_tensor(out, state.tensors[i].second, i);
  }
  out.raw("u}(");
  for (const auto& [key, value] : state.metadata) out.text(key), out.text(value);
  out.raw("ub.");
  return out.take();
}

tflite::ZipEntry text_entry(const std::string& name, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {name, {bytes.begin(), bytes.end()}};
}

}  // namespace

std::vector<std::byte> write_state(const StateDict& state) {
  constexpr uint64_t kMaxBytes = uint64_t{3} << 30;
  const std::string folder = "archive/";
  std::vector<tflite::ZipEntry> entries{{folder + "data.pkl", write_pickle(state)}, text_entry(folder + "byteorder", "little")};
  uint64_t total = 0;
  for (size_t i = 0; i < state.tensors.size(); ++i) {
    const auto bytes = state.tensors[i].second.bytes();
    total += bytes.size();
    if (total > kMaxBytes) throw Error(state.where, "has more than 3 GiB of constants, too much for a .pth of Kinglet");
    entries.push_back({fmt::format("{}data/{}", folder, i), {bytes.begin(), bytes.end()}});
  }
  entries.push_back(text_entry(folder + "version", "3\n"));
  return tflite::zip_to_append(entries, 0);
}

}  // namespace kinglet::formats::torch_pth
