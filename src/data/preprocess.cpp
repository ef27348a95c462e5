#include "data/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "base/error.h"

namespace kinglet::data {

namespace {

kinglet_color_order kernel_order(const graph::InputSpec& spec) {
  if (spec.channels == 1) return KINGLET_ORDER_GRAY;
  return spec.order == graph::ColorOrder::bgr ? KINGLET_ORDER_BGR : KINGLET_ORDER_RGB;
}

kinglet_resize_filter kernel_filter(graph::ResizeFilter filter) {
  switch (filter) {
    case graph::ResizeFilter::nearest: return KINGLET_FILTER_NEAREST;
    case graph::ResizeFilter::area: return KINGLET_FILTER_AREA;
    case graph::ResizeFilter::bilinear: break;
  }
  return KINGLET_FILTER_BILINEAR;
}

kinglet_coordinates kernel_coordinates(graph::Coordinates coordinates) {
  switch (coordinates) {
    case graph::Coordinates::asymmetric: return KINGLET_COORDINATES_ASYMMETRIC;
    case graph::Coordinates::align_corners: return KINGLET_COORDINATES_ALIGN_CORNERS;
    case graph::Coordinates::half_pixel: break;
  }
  return KINGLET_COORDINATES_HALF_PIXEL;
}

kinglet_resize_mode kernel_mode(graph::ResizeMode mode) {
  switch (mode) {
    case graph::ResizeMode::crop: return KINGLET_RESIZE_CROP;
    case graph::ResizeMode::letterbox: return KINGLET_RESIZE_LETTERBOX;
    case graph::ResizeMode::stretch: break;
  }
  return KINGLET_RESIZE_STRETCH;
}

kinglet_stage1 kernel_stage1(const graph::InputSpec& spec) {
  kinglet_stage1 s{};
  s.height = spec.height;
  s.width = spec.width;
  s.order = static_cast<uint8_t>(kernel_order(spec));
  s.mode = static_cast<uint8_t>(kernel_mode(spec.resize));
  s.filter = static_cast<uint8_t>(kernel_filter(spec.filter));
  s.antialias = spec.antialias;
  s.coordinates = static_cast<uint8_t>(kernel_coordinates(spec.coordinates));
  s.outside = spec.letterbox_value;
  s.crop_q16 = static_cast<int32_t>(std::lround(std::clamp(spec.crop_fraction, 0.0, 2.0) * 65536.0));
  std::copy(spec.gray_weights.begin(), spec.gray_weights.end(), s.gray_weights);
  return s;
}

kinglet_picture kernel_picture(const Image& image) {
  kinglet_picture p{};
  p.pixels = image.pixels.data();
  p.height = image.height;
  p.width = image.width;
  p.stride_bytes = image.width * image.channels;
  p.format = image.channels == 1 ? KINGLET_PIXELS_GRAY8 : KINGLET_PIXELS_RGB888;
  return p;
}

void check(const kinglet_stage1& stage1, const kinglet_picture& picture, const kinglet_region& region) {
  if (const char* fault = kinglet_preprocess_check(&stage1, &picture, &region)) throw Error("input contract", fault);
}

void check_spec(const graph::InputSpec& spec) {
  if (spec.channels != 1 && spec.channels != 3)
    throw Error("input contract", "a picture input has 1 or 3 channels, not " + std::to_string(spec.channels));
  const auto stage1 = kernel_stage1(spec);
  const uint8_t pixel[3] = {};
  check(stage1, {pixel, 1, 1, 3, KINGLET_PIXELS_RGB888, nullptr, nullptr}, {0, 0, 1, 1, 0});
  for (double s : spec.stddev)
    if (!(s != 0)) throw Error("input contract", "std must not be 0");
  if (!(spec.divisor != 0)) throw Error("input contract", "scale must not be 0");
}

/// The integer that stands for `real`; half away from zero, then clamped (numerics.md, "Input contract").
template <class T>
T quantized(double real, const graph::QuantParams& quant) {
  const double scale = quant.empty() ? 1.0 : quant.scale[0];
  const double zero_point = quant.empty() ? 0.0 : quant.zero_point[0];
  const double q = std::round(real / scale) + zero_point;
  return static_cast<T>(std::clamp<double>(q, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

template <class T>
void store(std::vector<std::byte>& tables, size_t index, T value) {
  std::memcpy(tables.data() + index * sizeof(T), &value, sizeof(T));
}

}  // namespace

Region contract_region(const graph::InputSpec& spec, const Image& image) {
  const auto stage1 = kernel_stage1(spec);
  const auto r = kinglet_contract_region(&stage1, image.height, image.width);
  return {r.top, r.left, r.height, r.width, false};
}

Preprocessor::Preprocessor(const graph::InputSpec& spec, const graph::Value& input) : spec_(spec), dtype_(input.dtype) {
  if (spec.channels == 0) throw Error("input '" + input.name + "'", "is " + input.shape.batch_str() + ", which is no picture of 1 or 3 channels");
  check_spec(spec);
  if (dtype_ != DType::f32 && dtype_ != DType::s8 && dtype_ != DType::u8)
    throw Error(input.name, "a picture input has dtype float32, int8 or uint8, not " + std::string(dtype_name(dtype_)));
  const Shape& shape = input.shape;
  planar_ = shape.rank() == 4 && spec.channels > 1 && shape[1] == spec.channels && shape[3] != spec.channels;
  tables_.resize(static_cast<size_t>(spec.channels) * 256 * dtype_bytes(dtype_));
  for (int c = 0; c < spec.channels; ++c)
    for (int byte = 0; byte < 256; ++byte) {
      const double real = spec.real_value(static_cast<uint8_t>(byte), c);
      const size_t at = static_cast<size_t>(c) * 256 + static_cast<size_t>(byte);
      if (dtype_ == DType::f32) store(tables_, at, static_cast<float>(real));
      if (dtype_ == DType::s8) store(tables_, at, quantized<int8_t>(real, input.quant));
      if (dtype_ == DType::u8) store(tables_, at, quantized<uint8_t>(real, input.quant));
    }
}

void Preprocessor::resample(const Image& image, const Region& region, std::span<uint8_t> out) const {
  KINGLET_CHECK(out.size() == pixel_bytes());
  const auto stage1 = kernel_stage1(spec_);
  const auto picture = kernel_picture(image);
  const kinglet_region part{region.top, region.left, region.height, region.width, region.mirrored};
  check(stage1, picture, part);
  const auto scratch = std::make_unique_for_overwrite<int32_t[]>(kinglet_preprocess_scratch_bytes(&stage1, &part) / 4);
  kinglet_preprocess(&stage1, &picture, &part, scratch.get(), out.data());
}

namespace {
/// HWC to CHW, elements of `size` bytes.
void split_planes(std::span<const std::byte> from, size_t channels, size_t size, std::span<std::byte> to) {
  const size_t pixels = from.size() / (channels * size);
  for (size_t c = 0; c < channels; ++c)
    for (size_t p = 0; p < pixels; ++p) std::memcpy(&to[(c * pixels + p) * size], &from[(p * channels + c) * size], size);
}
}  // namespace

void Preprocessor::map(std::span<const uint8_t> bytes, std::span<std::byte> out) const {
  KINGLET_CHECK(bytes.size() == pixel_bytes() && out.size() == tensor_bytes());
  if (!planar_) return map_interleaved(bytes, out);
  std::vector<std::byte> interleaved(out.size());
  map_interleaved(bytes, interleaved);
  split_planes(interleaved, static_cast<size_t>(spec_.channels), dtype_bytes(dtype_), out);
}

void Preprocessor::map_interleaved(std::span<const uint8_t> bytes, std::span<std::byte> out) const {
  const int32_t pixels = spec_.height * spec_.width;
  if (dtype_ == DType::f32) {
    kinglet_map_f32(bytes.data(), pixels, spec_.channels, reinterpret_cast<const float*>(tables_.data()), reinterpret_cast<float*>(out.data()));
  } else {
    kinglet_map_8(bytes.data(), pixels, spec_.channels, reinterpret_cast<const uint8_t*>(tables_.data()), reinterpret_cast<uint8_t*>(out.data()));
  }
}

void Preprocessor::run(const Image& image, std::span<std::byte> out) const {
  std::vector<uint8_t> bytes(pixel_bytes());
  resample(image, contract_region(spec_, image), bytes);
  map(bytes, out);
}

kinglet_stage1 Preprocessor::stage1() const { return kernel_stage1(spec_); }

size_t Preprocessor::tensor_bytes() const { return pixel_bytes() * dtype_bytes(dtype_); }

std::span<const std::byte> Preprocessor::table(int channel) const {
  const size_t bytes = 256 * dtype_bytes(dtype_);
  return std::span(tables_).subspan(static_cast<size_t>(channel) * bytes, bytes);
}

}  // namespace kinglet::data
