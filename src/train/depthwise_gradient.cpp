#include "train/depthwise_gradient.h"

#include <algorithm>
#include <vector>

#include "base/vector_clones.h"

namespace kinglet::train {

namespace {

constexpr int64_t kParts = 16;
constexpr int kLanes = 8;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

/// The outputs [first, last) along one axis that see a pixel through the kernel's tap.
struct Seen {
  int first, last;
};
Seen seen(int in, int out, int stride, int offset) {
  const int first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int last = in - 1 - offset < 0 ? 0 : std::min(out, (in - 1 - offset) / stride + 1);
  return {first, std::max(first, last)};
}

/// sums[c] += over rows x columns of x times dy; the steps are in floats.
struct Walk {
  int rows, columns;
  int64_t x_row, x_column, dy_row, dy_column;
};
KINGLET_CLONES void add_products(const float* x, const float* dy, const Walk& walk, int channels, float* sums) {
  int c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    Lanes even{}, odd{};
    for (int row = 0; row < walk.rows; ++row) {
      const float *xr = x + row * walk.x_row + c, *dyr = dy + row * walk.dy_row + c;
      int column = 0;
      for (; column + 2 <= walk.columns; column += 2) {
        even += *reinterpret_cast<const Lanes*>(xr) * *reinterpret_cast<const Lanes*>(dyr);
        odd += *reinterpret_cast<const Lanes*>(xr + walk.x_column) * *reinterpret_cast<const Lanes*>(dyr + walk.dy_column);
        xr += 2 * walk.x_column;
        dyr += 2 * walk.dy_column;
      }
      if (column < walk.columns) even += *reinterpret_cast<const Lanes*>(xr) * *reinterpret_cast<const Lanes*>(dyr);
    }
    *reinterpret_cast<Lanes*>(sums + c) += even + odd;
  }
  for (; c < channels; ++c)
    for (int row = 0; row < walk.rows; ++row)
      for (int column = 0; column < walk.columns; ++column)
        sums[c] += x[row * walk.x_row + column * walk.x_column + c] * dy[row * walk.dy_row + column * walk.dy_column + c];
}

void add_picture(const float* x, const float* dy, int channels, const ops::Window& w, float* sums) {
  for (int ky = 0; ky < w.kernel_h; ++ky)
    for (int kx = 0; kx < w.kernel_w; ++kx) {
      const int top = ky * w.dilation_h - w.pad_top, left = kx * w.dilation_w - w.pad_left;
      const Seen rows = seen(w.in_h, w.out_h, w.stride_h, top), columns = seen(w.in_w, w.out_w, w.stride_w, left);
      const int64_t c = channels;
      const Walk walk{rows.last - rows.first, columns.last - columns.first, w.stride_h * w.in_w * c, w.stride_w * c, w.out_w * c, c};
      if (walk.rows <= 0 || walk.columns <= 0) continue;
      const int64_t y = int64_t{rows.first} * w.stride_h + top, column = int64_t{columns.first} * w.stride_w + left;
      add_products(x + (y * w.in_w + column) * c, dy + (int64_t{rows.first} * w.out_w + columns.first) * c, walk, channels,
                   sums + (ky * w.kernel_w + kx) * c);
    }
}

}  // namespace

void depthwise_weight_gradient(const float* x, const float* dy, int64_t pictures, int channels, const ops::Window& window, float* weights,
                               const ParallelFor& parallel_for) {
  const size_t size = static_cast<size_t>(window.kernel_h) * static_cast<size_t>(window.kernel_w) * static_cast<size_t>(channels);
  const int64_t x_picture = int64_t{window.in_h} * window.in_w * channels, dy_picture = int64_t{window.out_h} * window.out_w * channels;
  std::vector<float> parts(size * kParts, 0.0f);
  parallel_for(kParts, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part)
      for (int64_t i = pictures * part / kParts; i < pictures * (part + 1) / kParts; ++i)
        add_picture(x + i * x_picture, dy + i * dy_picture, channels, window, parts.data() + part * static_cast<int64_t>(size));
  });
  for (size_t i = 0; i < size; ++i) {
    double sum = 0;
    for (size_t part = 0; part < kParts; ++part) sum += parts[part * size + i];
    weights[i] = static_cast<float>(sum);
  }
}

}  // namespace kinglet::train
