// The printed input contract, compiled with this machine's compiler, against data::Preprocessor to the bit.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "codegen/print_input.h"
#include "data/preprocess.h"

namespace kinglet::testing {
namespace {

namespace fs = std::filesystem;

struct Contract {
  std::string name;
  graph::InputSpec spec;
  graph::Value input;
};

Contract contract(const std::string& name, int side, int channels, DType dtype, graph::QuantParams quant = {}) {
  Contract c;
  c.name = name;
  c.spec.height = side, c.spec.width = side + 3, c.spec.channels = channels;
  if (channels == 1) c.spec.order = graph::ColorOrder::gray;
  c.input.name = "x";
  c.input.dtype = dtype;
  c.input.shape = {1, side, side + 3, channels};
  c.input.quant = std::move(quant);
  return c;
}

std::vector<Contract> contracts() {
  std::vector<Contract> list;
  list.push_back(contract("plain", 32, 3, DType::s8, graph::QuantParams::per_tensor(1.0f / 255, -128)));
  list.push_back(contract("gray_u8", 17, 1, DType::u8, graph::QuantParams::per_tensor(1.0f / 255, 0)));
  list.push_back(contract("crop_float", 24, 3, DType::f32));
  list.back().spec.resize = graph::ResizeMode::crop;
  list.back().spec.crop_fraction = 0.875;
  list.back().spec.mean = {0.485, 0.456, 0.406};
  list.back().spec.stddev = {0.229, 0.224, 0.225};
  list.push_back(contract("boxed_bgr", 20, 3, DType::s8, graph::QuantParams::per_tensor(0.0186f, -14)));
  list.back().spec.resize = graph::ResizeMode::letterbox;
  list.back().spec.order = graph::ColorOrder::bgr;
  list.back().spec.filter = graph::ResizeFilter::nearest;
  list.back().spec.letterbox_value = 114;
  for (const DType dtype : {DType::s8, DType::f32}) {  // one plane a channel
    list.push_back(contract(dtype == DType::s8 ? "planes_s8" : "planes_f32", 19, 3, dtype, dtype == DType::s8 ? graph::QuantParams::per_tensor(0.02f, 5) : graph::QuantParams{}));
    list.back().input.shape = {1, 3, 19, 22};
  }
  return list;
}

data::Image noise(int height, int width, int channels, uint64_t seed) {
  RandomStream random(seed, 0, 0, Purpose::draw);
  data::Image image{height, width, channels, std::vector<uint8_t>(static_cast<size_t>(height) * width * channels)};
  for (auto& p : image.pixels) p = static_cast<uint8_t>(random.below(256));
  return image;
}

TEST(CExport, InputContractEqualsPreprocessor) {
  const fs::path folder = fs::temp_directory_path() / ("kinglet_input_export_" + std::to_string(::getpid()));
  std::string sources = "kinglet_preprocess.c";
  for (const auto& c : contracts()) {
    for (const auto& file : codegen::print_input_c(c.spec, c.input, c.name)) write_file(folder / file.name, file.text);
    sources += " " + c.name + "_input.c";
  }
  const std::string in_folder = "cd '" + folder.string() + "' && ";
  ASSERT_EQ(std::system((in_folder + "cc -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -shared -fPIC -o all.so " + sources).c_str()), 0);
  if (std::system("command -v arm-none-eabi-gcc > /dev/null") == 0) {
    EXPECT_EQ(std::system((in_folder + "arm-none-eabi-gcc -std=c99 -Wall -Wextra -mcpu=cortex-m4 -mthumb -ffreestanding -O2 -c " + sources).c_str()), 0);
  }
  void* library = dlopen((folder / "all.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  for (const auto& c : contracts()) {
    const auto scratch_bytes = reinterpret_cast<size_t (*)(int32_t, int32_t)>(dlsym(library, (c.name + "_scratch_bytes").c_str()));
    const auto prepare = reinterpret_cast<const char* (*)(const kinglet_picture*, void*, void*)>(dlsym(library, (c.name + "_prepare").c_str()));
    ASSERT_TRUE(scratch_bytes && prepare) << c.name;
    const data::Preprocessor preprocessor(c.spec, c.input);
    for (auto [h, w] : {std::pair{c.spec.height, c.spec.width}, {97, 61}, {9, 11}, {240, 320}}) {
      const auto image = noise(h, w, 3, static_cast<uint64_t>(h));
      std::vector<std::byte> want(preprocessor.tensor_bytes()), got(want.size());
      preprocessor.run(image, want);
      std::vector<int32_t> scratch(scratch_bytes(h, w) / 4);
      kinglet_picture picture{};
      picture.pixels = image.pixels.data(), picture.height = h, picture.width = w, picture.stride_bytes = 3 * w;
      picture.format = KINGLET_PIXELS_RGB888;
      ASSERT_EQ(prepare(&picture, scratch.data(), got.data()), nullptr);
      EXPECT_TRUE(want == got) << c.name << " " << h << "x" << w;
    }
    kinglet_picture empty{};
    EXPECT_NE(prepare(&empty, nullptr, nullptr), nullptr) << c.name;
  }
  dlclose(library);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kinglet::testing
