// int8 convolution with 16-bit multiply-add pairs. The picture is first widened to x - zero point in a padded copy, so
// that every row of a window is one run of pairs; weights are [output block of 8][kernel row][pair][8][2] int16, rows
// padded with zeros to whole pairs. Dilation 1 only.
#include "kernels/x86_avx2.h"
#include "kernels/x86_widen.h"

namespace {

struct Layout {
  int32_t height, width, row;  // padded picture; row in values
  int32_t pairs;               // of one window row
};

Layout make_layout(const kinglet_conv2d_s8_args& args) {
  const kinglet_window& w = args.window;
  const int32_t width = (w.out_w - 1) * w.stride_w + w.kernel_w;
  return {(w.out_h - 1) * w.stride_h + w.kernel_h, width, width * args.in_c, (w.kernel_w * args.in_c + 1) / 2};
}

void pad_picture(const kinglet_conv2d_s8_args& args, const Layout& layout, const int8_t* x, int16_t* y) {
  const kinglet_window& w = args.window;
  const int32_t left = w.pad_left < layout.width ? w.pad_left : layout.width;
  const int32_t inside = w.in_w < layout.width - left ? w.in_w : layout.width - left;
  for (int32_t r = 0; r < layout.height; ++r, y += layout.row) {
    const int32_t iy = r - w.pad_top;
    if (iy < 0 || iy >= w.in_h) {
      clear(y, layout.row);
      continue;
    }
    clear(y, left * args.in_c);
    widen(x + iy * w.in_w * args.in_c, inside * args.in_c, args.in_zero, y + left * args.in_c);
    clear(y + (left + inside) * args.in_c, (layout.width - left - inside) * args.in_c);
  }
  y[0] = 0;  // the last window's odd pair reads one value more
}

inline __m256i broadcast_pair(const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  return _mm256_set1_epi32(pair);
}

struct Job {
  const kinglet_conv2d_s8_args* args;
  Layout layout;
  const int16_t *picture, *weights;
  const int32_t *bias, *mantissas, *shifts;
  int8_t* y;
};

// Output pixels first .. first + P - 1 (in raster order) of B blocks of 8 channels.
template <int P, int B>
inline void tile(const Job& job, int32_t first, int32_t block) {
  const kinglet_window& w = job.args->window;
  const int32_t block_size = w.kernel_h * job.layout.pairs * 16;
  const int16_t* pixel[P];
  for (int p = 0; p < P; ++p) {
    const int32_t oy = (first + p) / w.out_w, ox = (first + p) % w.out_w;
    pixel[p] = job.picture + oy * w.stride_h * job.layout.row + ox * w.stride_w * job.args->in_c;
  }
  __m256i sum[P][B];
  for (int p = 0; p < P; ++p)
    for (int b = 0; b < B; ++b) sum[p][b] = _mm256_loadu_si256((const __m256i*)(job.bias + (block + b) * 8));
  const int16_t* weights = job.weights + (int64_t)block * block_size;
  for (int32_t ky = 0; ky < w.kernel_h; ++ky) {
    for (int32_t g = 0; g < job.layout.pairs; ++g, weights += 16) {
      __m256i taps[B];
      for (int b = 0; b < B; ++b) taps[b] = _mm256_loadu_si256((const __m256i*)(weights + b * block_size));
      for (int p = 0; p < P; ++p) {
        const __m256i x = broadcast_pair(pixel[p] + 2 * g);
        for (int b = 0; b < B; ++b) sum[p][b] = _mm256_add_epi32(sum[p][b], _mm256_madd_epi16(x, taps[b]));
      }
    }
    for (int p = 0; p < P; ++p) pixel[p] += job.layout.row;
  }
  const OutputRange range = output_range(job.args->out_zero, job.args->out_min, job.args->out_max);
  for (int b = 0; b < B; ++b) {
    const int32_t channel = (block + b) * 8;
    const Scaler scaler = load_scaler(job.mantissas + channel, job.shifts + channel);
    for (int p = 0; p < P; ++p) {
      const __m256i q = quantized(requantize(sum[p][b], scaler), range);
      store_bytes(job.y + (int64_t)(first + p) * job.args->out_c + channel, narrow(q), job.args->out_c - channel);
    }
  }
}

template <int B>
void blocks(const Job& job, int32_t block) {
  const int32_t pixels = job.args->window.out_h * job.args->window.out_w;
  int32_t first = 0;
  for (; first + 4 <= pixels; first += 4) tile<4, B>(job, first, block);
  for (; first < pixels; ++first) tile<1, B>(job, first, block);
}

}  // namespace

extern "C" void kinglet_conv2d_s8_x86_avx2(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights,
                                           const int32_t* bias, const int32_t* mantissas, const int32_t* shifts, int16_t* scratch,
                                           int8_t* y) {
  const Job job{args, make_layout(*args), scratch, weights, bias, mantissas, shifts, y};
  pad_picture(*args, job.layout, x, scratch);
  const int32_t block_count = (args->out_c + 7) / 8;
  int32_t block = 0;
  for (; block + 2 <= block_count; block += 2) blocks<2>(job, block);
  if (block < block_count) blocks<1>(job, block);
}
