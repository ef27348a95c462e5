// Kinglet's own file: the index as text, since a checksum hides it from the fuzzer in a whole file, with made-up constants behind it.
#include "fuzz/target.h"
#include "graph/serialize.h"
#include "ops/verify.h"

namespace {

constexpr int64_t kMaxElements = 1 << 16;

kinglet::graph::Model read_either(std::span<const std::byte> bytes) {
  using namespace kinglet;
  if (bytes.size() >= 8 && bytes[0] == std::byte{'K'}) return graph::deserialize(bytes, "fuzz.kinglet");
  std::vector<std::pair<graph::ValueId, std::string>> wanted;
  auto model = graph::model_from_index({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "fuzz.kinglet", wanted);
  for (const auto& entry : wanted) {
    auto& value = model.graph.value(entry.first);
    if (value.shape.elements() > kMaxElements) throw Error("fuzz.kinglet", "is larger than the fuzzer wants");
    value.constant = Tensor(value.dtype, value.shape);
  }
  ops::verify(model.graph, "fuzz.kinglet");
  return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return kinglet::fuzz::expect_words(data, size, read_either);
}
