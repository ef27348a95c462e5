// float convolution with fused multiply-add. The picture is first copied with its padding; weights are
// [output block of 8][kernel row][kernel column x channel][8], bias is padded to blocks. Dilation 1 only.
#include <immintrin.h>

#include "kernels/kernels.h"

namespace {

struct Layout {
  int32_t height, width, row;  // padded picture; row in values
  int32_t run;                 // values of one window row
};

Layout make_layout(const kinglet_conv2d_f32_args& args) {
  const kinglet_window& w = args.window;
  const int32_t width = (w.out_w - 1) * w.stride_w + w.kernel_w;
  return {(w.out_h - 1) * w.stride_h + w.kernel_h, width, width * args.in_c, w.kernel_w * args.in_c};
}

void pad_picture(const kinglet_conv2d_f32_args& args, const Layout& layout, const float* x, float* y) {
  const kinglet_window& w = args.window;
  const int32_t left = (w.pad_left < layout.width ? w.pad_left : layout.width) * args.in_c;
  const int32_t room = layout.row - left, inside = w.in_w * args.in_c < room ? w.in_w * args.in_c : room;
  for (int32_t r = 0; r < layout.height; ++r, y += layout.row) {
    const int32_t iy = r - w.pad_top;
    const bool outside = iy < 0 || iy >= w.in_h;
    const float* source = x + (outside ? 0 : iy * w.in_w * args.in_c);
    for (int32_t i = 0; i < layout.row; ++i) {
      if (i < left || i >= left + inside || outside) y[i] = 0.0f;
    }
    if (!outside) __builtin_memcpy(y + left, source, (size_t)inside * sizeof(float));
  }
}

struct Job {
  const kinglet_conv2d_f32_args* args;
  Layout layout;
  const float *picture, *weights, *bias;
  float* y;
};

inline void store(float* y, __m256 v, int32_t n) {
  if (n >= 8) {
    _mm256_storeu_ps(y, v);
    return;
  }
  alignas(32) float tail[8];
  _mm256_store_ps(tail, v);
  for (int32_t i = 0; i < n; ++i) y[i] = tail[i];
}

// Output pixels first .. first + P - 1 (in raster order) of B blocks of 8 channels.
template <int P, int B>
inline void tile(const Job& job, int32_t first, int32_t block) {
  const kinglet_window& w = job.args->window;
  const int32_t block_size = w.kernel_h * job.layout.run * 8;
  const float* pixel[P];
  for (int p = 0; p < P; ++p) {
    const int32_t oy = (first + p) / w.out_w, ox = (first + p) % w.out_w;
    pixel[p] = job.picture + oy * w.stride_h * job.layout.row + ox * w.stride_w * job.args->in_c;
  }
  __m256 sum[P][B];
  for (int p = 0; p < P; ++p)
    for (int b = 0; b < B; ++b) sum[p][b] = _mm256_loadu_ps(job.bias + (block + b) * 8);
  const float* weights = job.weights + (int64_t)block * block_size;
  for (int32_t ky = 0; ky < w.kernel_h; ++ky) {
    for (int32_t i = 0; i < job.layout.run; ++i, weights += 8) {
      __m256 taps[B];
      for (int b = 0; b < B; ++b) taps[b] = _mm256_loadu_ps(weights + b * block_size);
      for (int p = 0; p < P; ++p) {
        const __m256 x = _mm256_broadcast_ss(pixel[p] + i);
        for (int b = 0; b < B; ++b) sum[p][b] = _mm256_fmadd_ps(x, taps[b], sum[p][b]);
      }
    }
    for (int p = 0; p < P; ++p) pixel[p] += job.layout.row;
  }
  const __m256 min = _mm256_set1_ps(job.args->out_min), max = _mm256_set1_ps(job.args->out_max);
  for (int b = 0; b < B; ++b) {
    const int32_t channel = (block + b) * 8;
    for (int p = 0; p < P; ++p) {
      float* y = job.y + (int64_t)(first + p) * job.args->out_c + channel;
      store(y, _mm256_min_ps(max, _mm256_max_ps(min, sum[p][b])), job.args->out_c - channel);
    }
  }
}

template <int B>
void blocks(const Job& job, int32_t block) {
  const int32_t pixels = job.args->window.out_h * job.args->window.out_w;
  int32_t first = 0;
  for (; first + 6 <= pixels; first += 6) tile<6, B>(job, first, block);
  for (; first < pixels; ++first) tile<1, B>(job, first, block);
}

}  // namespace

extern "C" void kinglet_conv2d_f32_x86_avx2(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias,
                                            float* scratch, float* y) {
  const Job job{args, make_layout(*args), scratch, weights, bias, y};
  pad_picture(*args, job.layout, x, scratch);
  const int32_t block_count = (args->out_c + 7) / 8;
  int32_t block = 0;
  for (; block + 2 <= block_count; block += 2) blocks<2>(job, block);
  if (block < block_count) blocks<1>(job, block);
}
