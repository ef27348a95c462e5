// Damaged .tflite bytes: cut off, overwritten, swapped. Nothing but kinglet::Error may come out, and the sanitizers watch.
#include "formats/tflite/tflite.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "formats/formats.h"
#include "formats/tflite/contract.h"
#include "graph/print.h"
#include "ops/cost.h"
#include "random_graph.h"

namespace kinglet {
namespace {

using Bytes = std::vector<std::byte>;

/// A valid file with every part: graph, metadata, contract and a ZIP with labels.
Bytes valid_file(uint64_t seed) {
  auto model = golden::random_model(seed, DType::s8);
  model.labels.assign(static_cast<size_t>(model.graph.value(model.graph.outputs[0]).shape.back()), "a label");
  model.input = formats::tflite::infer_input_spec(model.graph.value(model.graph.inputs[0]));
  model.provenance["data"] = "none";
  return formats::tflite::export_model(model);
}

/// True if the bytes were imported, false for an Error in words; anything else fails the test by escaping or crashing.
bool survives(const Bytes& bytes) {
  try {
    const auto model = formats::tflite::import_model(bytes, "bad.tflite", [](const std::string&) {});
    EXPECT_FALSE(graph::to_text(model.graph).empty());
    EXPECT_GE(ops::cost(model.graph).params, 0);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("bad.tflite", 0), 0u) << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::bad_input) << error.what();
    return false;
  }
}

void expect_message(const Bytes& bytes, const std::string& message) {
  try {
    formats::tflite::import_model(bytes, "bad.tflite");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), message);
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
  }
}

TEST(ErrorTflite, EmptyEightBytesAndTruncated) {
  expect_message({}, "bad.tflite: is not a TensorFlow Lite file (0 bytes, no 'TFL3' at byte 4)");
  expect_message(Bytes(8), "bad.tflite: is not a TensorFlow Lite file (8 bytes, no 'TFL3' at byte 4)");
  Bytes file = valid_file(1);
  expect_message(Bytes(file.begin(), file.begin() + 8),
                 "bad.tflite: is damaged: it is no sound flatbuffer; the file may be cut off; fetch it again");
  expect_message(Bytes(file.begin(), file.begin() + static_cast<long>(file.size() / 2)),
                 "bad.tflite: is damaged: it is no sound flatbuffer; the file may be cut off; fetch it again");
}

TEST(ErrorTflite, EveryTruncationEndsInWordsOrInAModel) {
  const Bytes file = valid_file(2);
  int accepted = 0;
  for (size_t n = 0; n < file.size(); n += 7) accepted += survives(Bytes(file.begin(), file.begin() + static_cast<long>(n)));
  EXPECT_LT(accepted, 60);  // only where the cut falls into the ZIP behind the model
}

TEST(ErrorTflite, OverwrittenBytesEndInWordsOrInAModel) {
  constexpr int kRounds = 12000;
  RandomStream random(1, 0, 0, Purpose::draw);
  const std::vector<Bytes> files{valid_file(1), valid_file(2), valid_file(3)};
  constexpr int32_t kValues[]{0, 1, -1, 2, 5, 127, 255, 256, 0x7fffffff, -0x7fffffff - 1, 0x00010000, 0x40000000};
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    Bytes bytes = files[random.below(files.size())];
    for (uint64_t hits = 1 + random.below(4); hits > 0; --hits) {
      const size_t at = random.below(bytes.size() - 4);
      const auto value = kValues[random.below(std::size(kValues))];
      switch (random.below(4)) {
        case 0:
          bytes[at] ^= static_cast<std::byte>(1u << random.below(8));
          break;
        case 1:
          bytes[at] = static_cast<std::byte>(random.bits());
          break;
        case 2:
          std::memcpy(&bytes[at / 4 * 4], &value, sizeof value);
          break;
        default:
          std::memmove(&bytes[at], &bytes[random.below(bytes.size() - 4)], 4);
          break;
      }
    }
    accepted += survives(bytes);
  }
  EXPECT_GT(accepted, kRounds / 20);  // the loop would prove little if no file got past the first check
  EXPECT_LT(accepted, kRounds * 19 / 20);
}

}  // namespace
}  // namespace kinglet
