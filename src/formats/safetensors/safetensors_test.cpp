#include "formats/safetensors/safetensors.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/onnx/models_for_test.h"

namespace kinglet::formats::safetensors {
namespace {

std::vector<std::byte> file_of(const std::string& header, size_t data_bytes) {
  ByteWriter out;
  out.write<uint64_t>(header.size());
  out.append(header);
  for (size_t i = 0; i < data_bytes; ++i) out.write<uint8_t>(static_cast<uint8_t>(i));
  return std::move(out.bytes());
}

std::string refusal(std::span<const std::byte> bytes) {
  try {
    read_state(bytes, "m.safetensors");
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Safetensors, AModelComesBackAsItWas) {
  const graph::Model model = golden::random_model(4, DType::s8);
  const auto bytes = write_state(state_of(model));
  ASSERT_TRUE(is_safetensors(bytes));
  const auto back = model_from_state(read_state(bytes, "m.safetensors"));
  ASSERT_EQ(back.graph.value_count(), model.graph.value_count());
  for (int v = 0; v < model.graph.value_count(); ++v)
    if (model.graph.value(v).constant) {
      EXPECT_TRUE(*back.graph.value(v).constant == *model.graph.value(v).constant);
    }
}

TEST(Safetensors, HalvesBecomeFloats) {
  ByteWriter out;
  const std::string header = R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]}})";
  out.write<uint64_t>(header.size());
  out.append(header);
  for (uint16_t half : {0x3C00, 0xC000, 0x0001, 0x7BFF, 0x3FC0}) out.write<uint16_t>(half);
  const auto state = read_state(out.bytes(), "m.safetensors");
  const auto h = state.tensors[0].second.data<float>();
  EXPECT_EQ(std::vector<float>(h.begin(), h.end()), (std::vector<float>{1.0f, -2.0f, 0x1p-24f, 65504.0f}));
  EXPECT_EQ(state.tensors[1].second.data<float>()[0], 1.5f);
}

TEST(BadSafetensors, AreRefusedInWords) {
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4)).find("4 bytes of tensors where its header speaks of 8"), std::string::npos);
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)).find("tensor 'a': has 8 bytes for the shape 3"), std::string::npos);
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", 8)).find("tensor 'b': overlaps"), std::string::npos);
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}})", 8)).find("follows a hole"), std::string::npos);
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1)).find("type 'F8_E4M3'"), std::string::npos);
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0)), "accepted");
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"U8","shape":[-1,-1],"data_offsets":[0,1]}})", 1)), "accepted");
  EXPECT_NE(refusal(file_of("{" + std::string(100000, '['), 0)), "accepted");
  EXPECT_NE(refusal(file_of(R"([1])", 0)).find("no object"), std::string::npos);
  ByteWriter claims;
  claims.write<uint64_t>(uint64_t{1} << 60);
  EXPECT_NE(refusal(claims.bytes()).find("claims a header"), std::string::npos);
}

TEST(BadSafetensors, CutAndFlippedFilesNeverDoMoreThanBeRefused) {
  const auto sound = write_state(state_of(onnx::picture_model()));
  for (size_t n = 0; n < sound.size(); n += 5) EXPECT_NE(refusal(std::span(sound).first(n)), "accepted");
  RandomStream random(12, 0, 0, Purpose::draw);
  int refusals = 0;
  for (int k = 0; k < 2000; ++k) {
    auto spoiled = sound;
    for (int i = 0; i <= k % 3; ++i) spoiled[random.bits() % spoiled.size()] ^= static_cast<std::byte>(1 + random.bits() % 255);
    try {
      const auto state = read_state(spoiled, "m.safetensors");
      if (has_graph(state)) model_from_state(state);
    } catch (const Error&) {
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 500);
}

}  // namespace
}  // namespace kinglet::formats::safetensors
