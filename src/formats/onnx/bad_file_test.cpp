// Damaged copies of sound files: cut anywhere, bytes flipped anywhere. Each must be read or end in an Error, never worse.
#include "base/error.h"
#include "formats/onnx/models_for_test.h"

namespace kinglet::formats::onnx {
namespace {

/// True if it was refused in words. Anything but an Error leaves the test.
bool refused(std::span<const std::byte> bytes) {
  try {
    import_model(bytes, "m.onnx");
    return false;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()), "");
    return true;
  }
}

std::vector<std::vector<std::byte>> sound_files() {
  return {export_model(picture_model()), export_model(golden::random_model(1, DType::s8)), export_model(golden::random_model(2, DType::f32))};
}

TEST(BadOnnx, TruncationsAreRefused) {
  for (const auto& file : sound_files()) {
    ASSERT_FALSE(refused(file));
    int read = 0;
    const size_t step = std::max<size_t>(1, file.size() / 700);
    for (size_t n = 0; n < file.size(); n += step) read += !refused(std::span(file).first(n));
    // A cut between two fields is a sound message; the graph is whole only before the metadata behind it.
    EXPECT_LE(read, 3);
  }
}

TEST(BadOnnx, FlippedBytesNeverDoMoreThanBeRefused) {
  int refusals = 0;
  for (const auto& file : sound_files()) {
    RandomStream random(7, 0, 0, Purpose::draw);
    for (int k = 0; k < 1500; ++k) {
      auto spoiled = file;
      for (int i = 0; i <= k % 3; ++i) spoiled[random.bits() % spoiled.size()] ^= static_cast<std::byte>(1 + random.bits() % 255);
      refusals += refused(spoiled);
    }
  }
  EXPECT_GT(refusals, 500);
}

TEST(BadOnnx, FlippedStructureNeverDoesMoreThanBeRefused) {
  // Without constants' bytes most of a file is structure: flips hit names, shapes, attributes and types.
  for (const auto& file : sound_files()) {
    const File sound(file, "m.onnx");
    pb::ModelProto model = sound.model();
    RandomStream random(8, 0, 0, Purpose::draw);
    for (int k = 0; k < 1500; ++k) {
      auto spoiled = model;
      auto& graph = *spoiled.mutable_graph();
      auto& node = *graph.mutable_node(static_cast<int>(random.bits() % static_cast<uint64_t>(graph.node_size())));
      if (node.attribute_size() && k % 4 == 0) {
        auto& attribute = *node.mutable_attribute(static_cast<int>(random.bits() % static_cast<uint64_t>(node.attribute_size())));
        const int64_t numbers[] = {0, -1, 2, 5, 1 << 20, INT64_MAX, INT64_MIN};
        if (attribute.ints_size()) attribute.set_ints(0, numbers[random.bits() % 7]);
        attribute.set_i(numbers[random.bits() % 7]);
      } else if (k % 4 == 1) {
        node.set_input(static_cast<int>(random.bits() % static_cast<uint64_t>(node.input_size())),
                       graph.node(static_cast<int>(random.bits() % static_cast<uint64_t>(graph.node_size()))).output(0));
      } else if (k % 4 == 2 && graph.initializer_size()) {
        node.set_input(static_cast<int>(random.bits() % static_cast<uint64_t>(node.input_size())),
                       graph.initializer(static_cast<int>(random.bits() % static_cast<uint64_t>(graph.initializer_size()))).name());
      } else {
        node.set_op_type(graph.node(static_cast<int>(random.bits() % static_cast<uint64_t>(graph.node_size()))).op_type());
      }
      const std::string text = spoiled.SerializeAsString();
      refused(std::as_bytes(std::span(text)));
    }
  }
}

}  // namespace
}  // namespace kinglet::formats::onnx
