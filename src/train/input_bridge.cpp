#include "train/input_bridge.h"

#include <algorithm>
#include <cmath>

namespace kinglet::train {

namespace {

using graph::ColorOrder;
using graph::InputSpec;

/// Byte of R, G or B in the order of the tensor: its channel.
int channel_of(const InputSpec& spec, int color) { return spec.order == ColorOrder::bgr ? 2 - color : color; }

/// The bytes of `to`'s channels as sums of those of `from`.
std::vector<std::array<double, 3>> byte_rows(const InputSpec& from, const InputSpec& to) {
  std::vector<std::array<double, 3>> rows(static_cast<size_t>(to.channels), {0, 0, 0});
  if (from.channels == 1) {
    for (auto& row : rows) row[0] = 1;
  } else if (to.channels == 1) {
    for (int color = 0; color < 3; ++color) rows[0][static_cast<size_t>(channel_of(from, color))] = to.gray_weights[static_cast<size_t>(color)] / 65536.0;
  } else {
    for (int color = 0; color < 3; ++color) rows[static_cast<size_t>(channel_of(to, color))][static_cast<size_t>(channel_of(from, color))] = 1;
  }
  return rows;
}

struct Line {
  double slope, offset;
};

/// real = slope * byte + offset.
Line line_of(const InputSpec& spec, int channel) {
  const double zero = spec.real_value(0, channel);
  return {(spec.real_value(255, channel) - zero) / 255, zero};
}

}  // namespace

InputBridge::InputBridge(const InputSpec& from, const InputSpec& to)
    : in_channels_(from.channels), out_channels_(to.channels), out_height_(to.height), out_width_(to.width) {
  const auto bytes = byte_rows(from, to);
  trivial_ = from.height == to.height && from.width == to.width && from.channels == to.channels;
  for (int c = 0; c < to.channels; ++c) {
    const Line target = line_of(to, c);
    std::array<double, 4> row{0, 0, 0, target.offset};
    for (int i = 0; i < from.channels; ++i) {
      const Line source = line_of(from, i);
      const double weight = bytes[static_cast<size_t>(c)][static_cast<size_t>(i)] * target.slope / source.slope;
      row[static_cast<size_t>(i)] = weight;
      row[3] -= weight * source.offset;
      trivial_ = trivial_ && std::fabs(weight - (i == c ? 1 : 0)) < 1e-9;
    }
    trivial_ = trivial_ && std::fabs(row[3]) < 1e-9;
    rows_.push_back(row);
  }
}

Tensor InputBridge::convert(const Tensor& pictures) const {
  if (trivial_) return pictures;
  const Tensor colored = convert_channels(pictures);
  return colored.shape()[1] == out_height_ && colored.shape()[2] == out_width_ ? colored : resize(colored);
}

Tensor InputBridge::convert_channels(const Tensor& pictures) const {
  const Shape& shape = pictures.shape();
  Tensor result(DType::f32, Shape{shape[0], shape[1], shape[2], out_channels_});
  const auto in = pictures.data<float>();
  auto out = result.mutable_data<float>();
  const size_t n = static_cast<size_t>(in_channels_), m = static_cast<size_t>(out_channels_);
  for (size_t p = 0; p < in.size() / n; ++p)
    for (size_t c = 0; c < m; ++c) {
      double sum = rows_[c][3];
      for (size_t i = 0; i < n; ++i) sum += rows_[c][i] * in[p * n + i];
      out[p * m + c] = static_cast<float>(sum);
    }
  return result;
}

Tensor InputBridge::resize(const Tensor& pictures) const {
  const int64_t count = pictures.shape()[0], height = pictures.shape()[1], width = pictures.shape()[2], c = out_channels_;
  Tensor result(DType::f32, Shape{count, out_height_, out_width_, c});
  const auto in = pictures.data<float>();
  auto out = result.mutable_data<float>();
  struct Tap {
    int64_t low, high;
    float share;
  };
  const auto taps = [](int64_t from, int to) {
    std::vector<Tap> all;
    for (int i = 0; i < to; ++i) {
      const double at = std::clamp((i + 0.5) * double(from) / to - 0.5, 0.0, double(from - 1));
      const auto low = static_cast<int64_t>(at);
      all.push_back({low, std::min(low + 1, from - 1), static_cast<float>(at - double(low))});
    }
    return all;
  };
  const auto rows = taps(height, out_height_), columns = taps(width, out_width_);
  size_t next = 0;
  for (int64_t i = 0; i < count; ++i)
    for (const Tap& y : rows)
      for (const Tap& x : columns)
        for (int64_t k = 0; k < c; ++k) {
          const auto at = [&](int64_t row, int64_t column) { return in[static_cast<size_t>(((i * height + row) * width + column) * c + k)]; };
          const float upper = at(y.low, x.low) * (1 - x.share) + at(y.low, x.high) * x.share;
          const float lower = at(y.high, x.low) * (1 - x.share) + at(y.high, x.high) * x.share;
          out[next++] = upper * (1 - y.share) + lower * y.share;
        }
  return result;
}

}  // namespace kinglet::train
