#include "data/preprocess.h"

#include <gtest/gtest.h>

#include <cstring>

#include "data/test_files.h"

namespace kinglet::data {
namespace {

graph::Value input_of(DType dtype, float scale = 0, int32_t zero_point = 0) {
  graph::Value value;
  value.name = "input";
  value.dtype = dtype;
  if (scale > 0) value.quant = graph::QuantParams::per_tensor(scale, zero_point);
  return value;
}

graph::InputSpec spec_of(int height, int width, int channels) {
  graph::InputSpec spec;
  spec.height = height;
  spec.width = width;
  spec.channels = channels;
  return spec;
}

int8_t s8_at(const Preprocessor& p, int channel, int byte) { return static_cast<int8_t>(p.table(channel)[byte]); }

TEST(Preprocessor, OneByteAStepWhenScaleIsOneBy255) {
  const Preprocessor p(spec_of(2, 2, 3), input_of(DType::s8, 0.003921568859368563f, -128));
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(s8_at(p, 1, byte), byte - 128);
}

TEST(Preprocessor, MeanAndStdByChannel) {
  auto spec = spec_of(1, 1, 3);
  spec.mean = {0.5, 0.25, 0};
  spec.stddev = {0.5, 0.5, 1};
  const Preprocessor p(spec, input_of(DType::f32));
  auto at = [&](int channel, int byte) {
    float value;
    std::memcpy(&value, p.table(channel).data() + 4 * byte, 4);
    return value;
  };
  EXPECT_FLOAT_EQ(at(0, 255), 1.0f);
  EXPECT_FLOAT_EQ(at(0, 0), -1.0f);
  EXPECT_FLOAT_EQ(at(1, 0), -0.5f);
  EXPECT_FLOAT_EQ(at(2, 51), 0.2f);
}

TEST(Preprocessor, QuantizationRoundsHalfAwayFromZeroAndClamps) {
  auto spec = spec_of(1, 1, 1);
  spec.divisor = 1;
  const Preprocessor p(spec, input_of(DType::s8, 2.0f, -10));  // byte / 2 - 10
  EXPECT_EQ(s8_at(p, 0, 0), -10);
  EXPECT_EQ(s8_at(p, 0, 1), -9);  // 0.5 -> 1
  EXPECT_EQ(s8_at(p, 0, 3), -8);  // 1.5 -> 2
  EXPECT_EQ(s8_at(p, 0, 255), 118);
  const Preprocessor raw(spec, input_of(DType::u8));
  EXPECT_EQ(static_cast<uint8_t>(raw.table(0)[200]), 200);
  const Preprocessor clamped(spec, input_of(DType::s8, 1.0f, 0));
  EXPECT_EQ(s8_at(clamped, 0, 255), 127);
}

TEST(Preprocessor, RunCropsResamplesAndMaps) {
  auto spec = spec_of(2, 2, 1);
  spec.resize = graph::ResizeMode::crop;
  const Preprocessor p(spec, input_of(DType::u8, 1.0f / 255, 0));
  const Image image{2, 4, 3, {1, 1, 1, 9, 9, 9, 50, 50, 50, 2, 2, 2, 3, 3, 3, 200, 200, 200, 8, 8, 8, 4, 4, 4}};
  std::vector<std::byte> out(p.tensor_bytes());
  p.run(image, out);
  EXPECT_EQ(out, (std::vector<std::byte>{std::byte{9}, std::byte{50}, std::byte{200}, std::byte{8}}));
}

TEST(Preprocessor, ANetworkThatTakesChannelsFirstGetsPlanes) {
  auto spec = spec_of(1, 2, 3);
  spec.divisor = 1;
  const Image image{1, 2, 3, {1, 2, 3, 4, 5, 6}};
  auto input = input_of(DType::u8);
  input.shape = {1, 3, 1, 2};
  std::vector<std::byte> out(6);
  Preprocessor(spec, input).run(image, out);
  EXPECT_EQ(out, (std::vector<std::byte>{std::byte{1}, std::byte{4}, std::byte{2}, std::byte{5}, std::byte{3}, std::byte{6}}));
  input.shape = {1, 1, 2, 3};
  Preprocessor(spec, input).run(image, out);
  EXPECT_EQ(out, (std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}, std::byte{6}}));
}

TEST(Preprocessor, RegionsOverTheEdgeAndMirrored) {
  auto spec = spec_of(1, 3, 1);
  spec.letterbox_value = 77;
  const Preprocessor p(spec, input_of(DType::f32));
  const Image image{1, 3, 1, {10, 20, 30}};
  std::vector<uint8_t> out(3);
  p.resample(image, {0, -1, 1, 3, false}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{77, 10, 20}));
  p.resample(image, {0, 1, 1, 3, true}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{77, 30, 20}));
}

TEST(Preprocessor, ContractsThatCannotBeRunAreErrors) {
  const auto input = input_of(DType::f32);
  EXPECT_ERROR(Preprocessor(spec_of(2, 2, 4), input), "1 or 3 channels");
  EXPECT_ERROR(Preprocessor(spec_of(0, 2, 3), input), "1 to 16384");
  auto spec = spec_of(2, 2, 3);
  spec.crop_fraction = 1.5;
  EXPECT_ERROR(Preprocessor(spec, input), "crop");
  spec = spec_of(2, 2, 3);
  spec.stddev = {1, 0, 1};
  EXPECT_ERROR(Preprocessor(spec, input), "std");
  EXPECT_ERROR(Preprocessor(spec_of(2, 2, 3), input_of(DType::s32)), "int32");
}

}  // namespace
}  // namespace kinglet::data
