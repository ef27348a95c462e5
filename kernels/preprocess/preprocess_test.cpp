#include "kernels/preprocess/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sha256.h"

namespace {

using Bytes = std::vector<uint8_t>;

/// The picture that the frozen figures of Pillow were made from.
Bytes pattern(int height, int width, int channels) {
  Bytes pixels;
  for (uint32_t y = 0; y < static_cast<uint32_t>(height); ++y)
    for (uint32_t x = 0; x < static_cast<uint32_t>(width); ++x)
      for (uint32_t c = 0; c < static_cast<uint32_t>(channels); ++c)
        pixels.push_back(static_cast<uint8_t>(((x * 73856093u ^ y * 19349663u ^ c * 83492791u) * 2654435761u) >> 24));
  return pixels;
}

kinglet_stage1 stage1(int height, int width, kinglet_color_order order = KINGLET_ORDER_RGB) {
  kinglet_stage1 s{};
  s.height = height;
  s.width = width;
  s.order = static_cast<uint8_t>(order);
  s.filter = KINGLET_FILTER_BILINEAR;
  s.antialias = 1;
  s.crop_q16 = 1 << 16;
  s.gray_weights[0] = 19595;
  s.gray_weights[1] = 38470;
  s.gray_weights[2] = 7471;
  return s;
}

kinglet_picture picture_of(const Bytes& pixels, int height, int width, kinglet_pixel_format format) {
  const int pixel_bytes = format <= KINGLET_PIXELS_BGR888 ? 3 : format == KINGLET_PIXELS_GRAY8 ? 1 : 2;
  return {pixels.data(), height, width, width * pixel_bytes, static_cast<uint8_t>(format), nullptr, nullptr};
}

int channels_of(const kinglet_stage1& s) { return s.order == KINGLET_ORDER_GRAY ? 1 : 3; }

Bytes run(const kinglet_stage1& s, const kinglet_picture& p, const kinglet_region& g) {
  EXPECT_EQ(kinglet_preprocess_check(&s, &p, &g), nullptr);
  // Exactly as large as asked, so that the address sanitizer sees a byte too much.
  std::vector<uint32_t> scratch(kinglet_preprocess_scratch_bytes(&s, &g) / 4);
  Bytes out(static_cast<size_t>(s.height) * s.width * channels_of(s));
  kinglet_preprocess(&s, &p, &g, scratch.data(), out.data());
  return out;
}

Bytes run_whole(const kinglet_stage1& s, const Bytes& pixels, int height, int width, kinglet_pixel_format format) {
  return run(s, picture_of(pixels, height, width, format), {0, 0, height, width, 0});
}

// ---- The definition of docs/numerics.md once more, slow and in floating point, over whole pictures.

struct Plane {
  int height = 0, width = 0;
  std::vector<double> v;
};

double nearest_position(int i, int in, int out, int coordinates) {
  double x = std::floor((i + 0.5) * in / out);
  if (coordinates == KINGLET_COORDINATES_ASYMMETRIC || (coordinates == KINGLET_COORDINATES_ALIGN_CORNERS && out == 1)) x = std::floor(1.0 * i * in / out);
  else if (coordinates == KINGLET_COORDINATES_ALIGN_CORNERS) x = std::floor(1.0 * i * (in - 1) / (out - 1) + 0.5);
  return std::min(x, in - 1.0);
}

std::vector<double> weights_of(const kinglet_stage1& s, int i, int in, int out) {
  std::vector<double> w(in, 0.0);
  if (s.filter == KINGLET_FILTER_NEAREST) {
    w[static_cast<size_t>(nearest_position(i, in, out, s.coordinates))] = 1;
    return w;
  }
  if (s.filter == KINGLET_FILTER_AREA) {
    const double low = 1.0 * i * in / out, high = 1.0 * (i + 1) * in / out;
    for (int x = 0; x < in; ++x) w[x] = std::max(0.0, std::min<double>(x + 1, high) - std::max<double>(x, low));
  } else {
    const bool corners = s.coordinates == KINGLET_COORDINATES_ALIGN_CORNERS && out > 1;
    const double scale = corners ? 1.0 * (in - 1) / (out - 1) : 1.0 * in / out;
    const double at = s.coordinates == KINGLET_COORDINATES_HALF_PIXEL ? (i + 0.5) * scale - 0.5 : i * scale;
    const double reach = s.antialias ? std::max(1.0, scale) : 1.0;
    for (int x = 0; x < in; ++x) w[x] = std::max(0.0, 1 - std::abs(x - at) / reach);
  }
  const double sum = std::accumulate(w.begin(), w.end(), 0.0);
  for (auto& x : w) x /= sum;
  return w;
}

Plane resized_in_width(const Plane& from, const kinglet_stage1& s, int out) {
  Plane to{from.height, out, {}};
  for (int y = 0; y < from.height; ++y)
    for (int i = 0; i < out; ++i) {
      const auto w = weights_of(s, i, from.width, out);
      double sum = 0;
      for (int x = 0; x < from.width; ++x) sum += std::floor(w[x] * 4194304 + 0.5) * from.v[y * from.width + x];
      to.v.push_back(std::floor(sum / 4194304 + 0.5));
    }
  return to;
}

Plane transposed(const Plane& from) {
  Plane to{from.width, from.height, {}};
  for (int x = 0; x < from.width; ++x)
    for (int y = 0; y < from.height; ++y) to.v.push_back(from.v[y * from.width + x]);
  return to;
}

/// One channel, RGB888 or GRAY8 sources only. `c` counts in the output's order.
Plane region_plane(const kinglet_stage1& s, const kinglet_picture& p, const kinglet_region& g, int c) {
  Plane plane{g.height, g.width, {}};
  for (int y = g.top; y < g.top + g.height; ++y)
    for (int x = g.left; x < g.left + g.width; ++x) {
      double v = s.outside;
      if (y >= 0 && y < p.height && x >= 0 && x < p.width) {
        const uint8_t* at = p.pixels + y * p.stride_bytes + x * (p.format == KINGLET_PIXELS_GRAY8 ? 1 : 3);
        if (p.format == KINGLET_PIXELS_GRAY8) v = at[0];
        else if (s.order == KINGLET_ORDER_GRAY) v = std::floor((19595.0 * at[0] + 38470.0 * at[1] + 7471.0 * at[2]) / 65536 + 0.5);
        else v = at[s.order == KINGLET_ORDER_BGR ? 2 - c : c];
      }
      plane.v.push_back(v);
    }
  return plane;
}

Bytes expected(const kinglet_stage1& s, const kinglet_picture& p, const kinglet_region& g) {
  int fit_h = s.height, fit_w = s.width;
  if (s.mode == KINGLET_RESIZE_LETTERBOX) {
    if (1.0 * s.width / g.width <= 1.0 * s.height / g.height) fit_h = std::max<int>(1, static_cast<int>(std::floor(1.0 * g.height * s.width / g.width + 0.5)));
    else fit_w = std::max<int>(1, static_cast<int>(std::floor(1.0 * g.width * s.height / g.height + 0.5)));
  }
  const int top = (s.height - fit_h) / 2, left = (s.width - fit_w) / 2, channels = channels_of(s);
  Bytes out(static_cast<size_t>(s.height) * s.width * channels, s.outside);
  for (int c = 0; c < channels; ++c) {
    const auto wide = resized_in_width(region_plane(s, p, g, c), s, fit_w);
    const auto plane = transposed(resized_in_width(transposed(wide), s, fit_h));
    for (int y = 0; y < fit_h; ++y)
      for (int x = 0; x < fit_w; ++x) {
        const int from = g.mirrored ? fit_w - 1 - x : x;
        out[((top + y) * s.width + left + x) * channels + c] = static_cast<uint8_t>(plane.v[y * fit_w + from]);
      }
  }
  return out;
}

TEST(Preprocess, EqualsTheDefinitionOverRandomContracts) {
  kinglet::RandomStream random(2024, 0, 0, kinglet::Purpose::resample);
  auto upto = [&](int low, int high) { return low + static_cast<int>(random.below(static_cast<uint64_t>(high - low + 1))); };
  for (int round = 0; round < 1500; ++round) {
    const int height = upto(1, 23), width = upto(1, 23);
    auto s = stage1(upto(1, 19), upto(1, 19), static_cast<kinglet_color_order>(upto(0, 2)));
    if (round % 5 == 0) s.height = height;  // passes that are left out
    if (round % 7 == 0) s.width = width;
    s.mode = static_cast<uint8_t>(upto(0, 2));
    s.filter = static_cast<uint8_t>(upto(0, 2));
    s.antialias = static_cast<uint8_t>(upto(0, 1));
    s.coordinates = static_cast<uint8_t>(upto(0, 2));
    s.outside = static_cast<uint8_t>(upto(0, 255));
    const bool gray = upto(0, 2) == 0;
    const auto pixels = pattern(height, width, gray ? 1 : 3);
    const auto p = picture_of(pixels, height, width, gray ? KINGLET_PIXELS_GRAY8 : KINGLET_PIXELS_RGB888);
    kinglet_region g{0, 0, height, width, upto(0, 1)};
    if (round % 3 == 0) g = {upto(-6, 6), upto(-6, 6), upto(1, 25), upto(1, 25), upto(0, 1)};
    ASSERT_EQ(run(s, p, g), expected(s, p, g))
        << "round " << round << ": " << width << "x" << height << " -> " << s.width << "x" << s.height << " mode " << int(s.mode) << " filter "
        << int(s.filter) << " antialias " << int(s.antialias) << " coordinates " << int(s.coordinates) << " mirrored " << g.mirrored;
  }
}

TEST(Preprocess, IdentityIsACopyWhateverTheFilter) {
  const auto pixels = pattern(32, 32, 3);
  for (int filter = 0; filter < 3; ++filter)
    for (int coordinates = 0; coordinates < 3; ++coordinates) {
      auto s = stage1(32, 32);
      s.filter = static_cast<uint8_t>(filter);
      s.coordinates = static_cast<uint8_t>(coordinates);
      EXPECT_EQ(run_whole(s, pixels, 32, 32, KINGLET_PIXELS_RGB888), pixels);
    }
}

TEST(Preprocess, RowsInAnyOrderAndFromACallbackAreTheSame) {
  const auto pixels = pattern(40, 30, 3);
  const auto s = stage1(17, 13);
  const kinglet_region g{0, 0, 40, 30, 1};
  auto p = picture_of(pixels, 40, 30, KINGLET_PIXELS_RGB888);
  const auto whole = run(s, p, g);
  struct Camera {
    const Bytes* pixels;
    int last = -1;
    bool rising = true;
  } camera{&pixels};
  p.pixels = nullptr;
  p.context = &camera;
  p.row = [](void* context, int32_t y) {
    auto* c = static_cast<Camera*>(context);
    c->rising = c->rising && y > c->last;
    c->last = y;
    return c->pixels->data() + y * 90;
  };
  EXPECT_EQ(run(s, p, g), whole);
  EXPECT_TRUE(camera.rising) << "each row is asked for once, in rising order";
  std::vector<uint32_t> scratch(kinglet_preprocess_scratch_bytes(&s, &g) / 4);
  kinglet_resampler r;
  kinglet_resampler_init(&r, &s, &p, &g, scratch.data());
  Bytes row(39);
  for (int y : {16, 3, 3, 9, 0, 15}) {
    kinglet_resampler_row(&r, y, row.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), whole.begin() + y * 39)) << y;
  }
}

TEST(Preprocess, ConstantPicturesStayConstant) {
  for (int value : {0, 1, 127, 254, 255})
    for (auto [in, out] : {std::pair{16384, 1}, {16384, 7}, {5000, 32}, {7, 6}, {3, 200}}) {
      const Bytes pixels(static_cast<size_t>(in), static_cast<uint8_t>(value));
      for (int filter = 0; filter < 3; ++filter) {
        auto s = stage1(1, out, KINGLET_ORDER_GRAY);
        s.filter = static_cast<uint8_t>(filter);
        EXPECT_EQ(run_whole(s, pixels, 1, in, KINGLET_PIXELS_GRAY8), Bytes(static_cast<size_t>(out), static_cast<uint8_t>(value)));
      }
    }
}

// ---- Against Pillow 13.0's BILINEAR, NEAREST and convert("L"): figures made with Pillow from the same pattern.

TEST(PreprocessPillow, BilinearDownRgb) {
  const Bytes pillow{108, 108, 130, 118, 137, 101, 106, 93,  134, 137, 157, 122, 113, 118, 141, 133, 105, 90,  74,  175, 127, 112, 94,  109, 109, 139, 96,
                     113, 103, 111, 124, 156, 129, 96,  160, 90,  127, 135, 125, 97,  149, 145, 149, 105, 130, 101, 89,  131, 91,  105, 134, 156, 127, 98,
                     148, 145, 124, 132, 164, 138, 99,  135, 163, 143, 111, 148, 124, 99,  89,  119, 142, 145, 116, 129, 107, 107, 149, 121, 149, 140, 121,
                     177, 113, 145, 104, 79,  134, 124, 111, 83,  132, 93,  107, 123, 81,  104, 91,  110, 102, 113, 90,  103, 126, 147, 125};
  EXPECT_EQ(run_whole(stage1(5, 7), pattern(11, 17, 3), 11, 17, KINGLET_PIXELS_RGB888), pillow);
}

TEST(PreprocessPillow, BilinearUpGray) {
  const Bytes pillow{0,   51,  137, 109, 53,  139, 196, 140, 106, 58,  72,  95, 115, 136, 140, 132, 83,  54,  128, 122, 111, 134, 166, 144,
                     118, 80,  58,  167, 168, 171, 156, 136, 149, 154, 131, 118, 45, 72,  118, 139, 154, 140, 129, 127, 125, 84,  72,  52,
                     81,  123, 82,  49,  52,  54,  154, 124, 72,  98,  144, 79, 28, 28,  28,  213, 195, 164, 182, 211, 132, 68,  62,  58};
  EXPECT_EQ(run_whole(stage1(8, 9, KINGLET_ORDER_GRAY), pattern(6, 5, 1), 6, 5, KINGLET_PIXELS_GRAY8), pillow);
}

TEST(PreprocessPillow, GrayWeights) {
  const Bytes pillow{102, 154, 25, 215, 61, 141, 74, 181, 79, 165, 157, 190};
  EXPECT_EQ(run_whole(stage1(3, 4, KINGLET_ORDER_GRAY), pattern(3, 4, 3), 3, 4, KINGLET_PIXELS_RGB888), pillow);
}

std::string digest(const Bytes& bytes) { return kinglet::sha256(std::as_bytes(std::span(bytes))); }

struct PillowCase {
  int height, width, out_height, out_width;
  const char* bilinear;
  const char* nearest;
};

class PreprocessPillowLarge : public testing::TestWithParam<PillowCase> {};

TEST_P(PreprocessPillowLarge, EveryByteEqual) {
  const auto& c = GetParam();
  const auto pixels = pattern(c.height, c.width, 3);
  auto s = stage1(c.out_height, c.out_width);
  EXPECT_EQ(digest(run_whole(s, pixels, c.height, c.width, KINGLET_PIXELS_RGB888)), c.bilinear);
  s.filter = KINGLET_FILTER_NEAREST;
  // Pillow adds up a rounded step, so where a sample falls exactly between two pixels (320 -> 96) it takes the lower one.
  if (*c.nearest == 0) return;
  EXPECT_EQ(digest(run_whole(s, pixels, c.height, c.width, KINGLET_PIXELS_RGB888)), c.nearest);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PreprocessPillowLarge,
    testing::Values(PillowCase{240, 320, 96, 96, "aaa19d0ec3bf0bfaad5abd66db4a839a654e3f0b9b55f19e4b4c72a2140a527b", ""},
                    PillowCase{97, 131, 64, 64, "e1b582ea44129d91ad7929cb459927827091215ca91c39ea5c0d3cdf65270111", "a9afef3da5d8a8d020faca0a3532d0fabcfbfb0e41eecd17de4dab3e5243c9bd"},
                    PillowCase{20, 30, 64, 48, "66c3476f2e4ac7187e84a1bee60608091cb7663ba78b83cca5a314e84f91d0cd", "26afca045f74bc9a1292da14221085eb13343c39d040cbf54090349fffa5f956"},
                    PillowCase{1000, 1500, 32, 32, "0932b71371723edfc58ec2d309765d2722d48b278be0488e35a6515bec173014", "1f11c5405e78b5e72d5e47842f4d0667fa448d4fd31a1904ea10817106309ee1"}));

TEST(PreprocessArea, IsTheMeanOfWholePixels) {
  auto s = stage1(2, 5, KINGLET_ORDER_GRAY);
  s.filter = KINGLET_FILTER_AREA;
  const auto source = pattern(6, 5, 1);
  const auto out = run_whole(s, source, 6, 5, KINGLET_PIXELS_GRAY8);
  for (int x = 0; x < 5; ++x)
    for (int y = 0; y < 2; ++y) {
      const int sum = source[3 * y * 5 + x] + source[(3 * y + 1) * 5 + x] + source[(3 * y + 2) * 5 + x];
      EXPECT_EQ(out[y * 5 + x], (2 * sum + 3) / 6);
    }
}

// ---- Source formats

TEST(PreprocessFormats, Rgb565BothOrders) {
  // 0xF81F: red and blue full; 0x07E0: green full; 0x8410: the middle steps 16, 32, 16 -> 132, 130, 132.
  const Bytes little{0x1F, 0xF8, 0xE0, 0x07, 0x10, 0x84}, big{0xF8, 0x1F, 0x07, 0xE0, 0x84, 0x10};
  const Bytes rgb{255, 0, 255, 0, 255, 0, 132, 130, 132};
  EXPECT_EQ(run_whole(stage1(1, 3), little, 1, 3, KINGLET_PIXELS_RGB565_LE), rgb);
  EXPECT_EQ(run_whole(stage1(1, 3), big, 1, 3, KINGLET_PIXELS_RGB565_BE), rgb);
}

TEST(PreprocessFormats, BgrIsRgbSwapped) {
  const Bytes bgr{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(run_whole(stage1(1, 2), bgr, 1, 2, KINGLET_PIXELS_BGR888), (Bytes{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(run_whole(stage1(1, 2, KINGLET_ORDER_BGR), bgr, 1, 2, KINGLET_PIXELS_BGR888), bgr);
}

TEST(PreprocessFormats, GrayBecomesThreeEqualChannels) {
  EXPECT_EQ(run_whole(stage1(1, 2), {7, 9}, 1, 2, KINGLET_PIXELS_GRAY8), (Bytes{7, 7, 7, 9, 9, 9}));
}

TEST(PreprocessFormats, YuvFollowsFullRangeBt601) {
  for (int y = 0; y < 256; y += 15)
    for (int u = 0; u < 256; u += 17)
      for (int v = 0; v < 256; v += 17) {
        const auto b = [](double x) { return std::clamp(x, 0.0, 255.0); };
        const double r = b(y + 1.402 * (v - 128)), g = b(y - 0.344136 * (u - 128) - 0.714136 * (v - 128)), bl = b(y + 1.772 * (u - 128));
        const Bytes yuyv{static_cast<uint8_t>(y), static_cast<uint8_t>(u), static_cast<uint8_t>(y), static_cast<uint8_t>(v)};
        const Bytes uyvy{yuyv[1], yuyv[0], yuyv[3], yuyv[2]};
        const auto out = run_whole(stage1(1, 2), yuyv, 1, 2, KINGLET_PIXELS_YUYV);
        ASSERT_EQ(out, run_whole(stage1(1, 2), uyvy, 1, 2, KINGLET_PIXELS_UYVY));
        ASSERT_NEAR(out[0], r, 0.51);
        ASSERT_NEAR(out[4], g, 0.51);
        ASSERT_NEAR(out[5], bl, 0.51);
      }
}

TEST(PreprocessFormats, YuvRegionMayStartInTheMiddleOfAPair) {
  const Bytes yuyv{10, 128, 20, 128, 30, 128, 40, 128};
  const auto p = picture_of(yuyv, 1, 4, KINGLET_PIXELS_YUYV);
  EXPECT_EQ(run(stage1(1, 2, KINGLET_ORDER_GRAY), p, {0, 1, 1, 2, 0}), (Bytes{20, 30}));
  EXPECT_EQ(run(stage1(1, 2, KINGLET_ORDER_GRAY), p, {0, 1, 1, 2, 1}), (Bytes{30, 20}));
}

TEST(PreprocessRegion, CropKeepsTheCentredRectangleOfTheOutputsAspect) {
  auto s = stage1(224, 224);
  s.mode = KINGLET_RESIZE_CROP;
  s.crop_q16 = 57344;  // 0.875
  auto g = kinglet_contract_region(&s, 480, 640);
  EXPECT_EQ(g.height, 420);
  EXPECT_EQ(g.width, 420);
  EXPECT_EQ(g.top, 30);
  EXPECT_EQ(g.left, 110);
  s.height = 112;
  g = kinglet_contract_region(&s, 480, 640);
  EXPECT_EQ(g.width, 560);
  EXPECT_EQ(g.height, 280);
}

TEST(PreprocessCheck, SaysWhatIsWrong) {
  const auto pixels = pattern(4, 4, 3);
  auto p = picture_of(pixels, 4, 4, KINGLET_PIXELS_RGB888);
  auto s = stage1(0, 4);
  const kinglet_region g{0, 0, 4, 4, 0};
  EXPECT_STREQ(kinglet_preprocess_check(&s, &p, &g), "the output needs sides of 1 to 16384");
  s.height = 4;
  p.width = 3;
  p.format = KINGLET_PIXELS_YUYV;
  EXPECT_STREQ(kinglet_preprocess_check(&s, &p, &g), "YUV422 needs an even width");
}

TEST(PreprocessMap, TablesByChannel) {
  Bytes tables(768);
  std::vector<float> real(768);
  for (int i = 0; i < 768; ++i) {
    tables[i] = static_cast<uint8_t>(255 - i % 256 + i / 256);
    real[i] = static_cast<float>(i) * 0.5f;
  }
  const Bytes in{0, 1, 2, 255, 254, 253};
  Bytes out(6);
  kinglet_map_8(in.data(), 2, 3, tables.data(), out.data());
  EXPECT_EQ(out, (Bytes{255, 255, 255, 0, 2, 4}));
  std::vector<float> out_f32(6);
  kinglet_map_f32(in.data(), 2, 3, real.data(), out_f32.data());
  EXPECT_EQ(out_f32, (std::vector<float>{0, 128.5, 257, 127.5, 255, 382.5}));
}

}  // namespace
