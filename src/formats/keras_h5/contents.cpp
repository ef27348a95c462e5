#include "formats/keras_h5/contents.h"

#include "base/bytes.h"

namespace kinglet::formats::keras_h5 {

namespace {

constexpr uint32_t kMaxRank = Shape::kMaxRank;

void write_text(ByteWriter& out, const std::string& text) {
  out.write<uint64_t>(text.size());
  out.append(text);
}

std::string read_text(ByteReader& in) { return std::string(in.take_text(in.read<uint64_t>())); }

Tensor read_tensor(ByteReader& in) {
  const auto rank = in.read<uint32_t>();
  if (rank > kMaxRank) in.fail("has a weight of an impossible rank");
  std::vector<int64_t> dims(rank);
  for (int64_t& dim : dims) dim = in.read<int64_t>();
  const Shape shape(dims);
  if (static_cast<uint64_t>(shape.elements()) > in.left() / sizeof(float)) in.fail("has a weight longer than itself");
  const auto raw = in.take(static_cast<size_t>(shape.elements()) * sizeof(float));
  Tensor tensor(DType::f32, shape);
  std::copy(raw.begin(), raw.end(), tensor.mutable_bytes().begin());
  return tensor;
}

}  // namespace

std::vector<std::byte> pack(const Contents& contents) {
  ByteWriter out;
  write_text(out, contents.config);
  out.write<uint32_t>(static_cast<uint32_t>(contents.weights.size()));
  for (const auto& [layer, weights] : contents.weights) {
    write_text(out, layer);
    out.write<uint32_t>(static_cast<uint32_t>(weights.size()));
    for (const auto& [name, tensor] : weights) {
      write_text(out, name);
      out.write<uint32_t>(static_cast<uint32_t>(tensor.shape().rank()));
      for (int64_t dim : tensor.shape().dims()) out.write<int64_t>(dim);
      out.append(tensor.bytes());
    }
  }
  return std::move(out.bytes());
}

Contents unpack(std::span<const std::byte> bytes, const std::string& where) {
  ByteReader in(bytes, where);
  Contents contents;
  contents.config = read_text(in);
  for (auto layers = in.read<uint32_t>(); layers > 0; --layers) {
    auto& weights = contents.weights[read_text(in)];
    for (auto n = in.read<uint32_t>(); n > 0; --n) {
      const std::string name = read_text(in);
      weights[name] = read_tensor(in);
    }
  }
  return contents;
}

}  // namespace kinglet::formats::keras_h5
