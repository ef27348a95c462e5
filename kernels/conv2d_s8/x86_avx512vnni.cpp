// int8 convolution with VPDPBUSD (unsigned x signed, four at a time, no saturation). The picture is first copied with its
// padding as x + 128, so that every row of a window is one run of quads; weights are
// [output block of 16][kernel row][quad][16][4] int8, rows padded with zeros to whole quads, and the bias holds
// bias - (zero point + 128) * sum of (weights - their zero point). Weights with a zero point (models that came from uint8) need
// the sum of each window's bytes too; it is made once a pixel, behind the picture. Dilation 1 only.
#include "kernels/x86_avx512.h"

namespace {

struct Layout {
  int32_t height, width, row;  // padded picture; row in bytes
  int32_t quads;               // of one window row
};

Layout make_layout(const kinglet_conv2d_s8_args& args) {
  const kinglet_window& w = args.window;
  const int32_t width = (w.out_w - 1) * w.stride_w + w.kernel_w;
  return {(w.out_h - 1) * w.stride_h + w.kernel_h, width, width * args.in_c, (w.kernel_w * args.in_c + 3) / 4};
}

inline __mmask64 first_bytes(int32_t n) { return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1; }

void offset_bytes(const int8_t* x, int32_t n, uint8_t* y) {
  const __m512i sign = _mm512_set1_epi8((char)0x80);
  for (int32_t i = 0; i < n; i += 64) {
    const __mmask64 some = first_bytes(n - i);
    _mm512_mask_storeu_epi8(y + i, some, _mm512_xor_si512(_mm512_maskz_loadu_epi8(some, x + i), sign));
  }
}

void fill(uint8_t* y, int32_t n, int32_t value) {
  const __m512i bytes = _mm512_set1_epi8((char)value);
  for (int32_t i = 0; i < n; i += 64) _mm512_mask_storeu_epi8(y + i, first_bytes(n - i), bytes);
}

void pad_picture(const kinglet_conv2d_s8_args& args, const Layout& layout, const int8_t* x, uint8_t* y) {
  const kinglet_window& w = args.window;
  const int32_t zero = args.in_zero + 128;
  const int32_t left = w.pad_left < layout.width ? w.pad_left : layout.width;
  const int32_t inside = w.in_w < layout.width - left ? w.in_w : layout.width - left;
  for (int32_t r = 0; r < layout.height; ++r, y += layout.row) {
    const int32_t iy = r - w.pad_top;
    if (iy < 0 || iy >= w.in_h) {
      fill(y, layout.row, zero);
      continue;
    }
    fill(y, left * args.in_c, zero);
    offset_bytes(x + iy * w.in_w * args.in_c, inside * args.in_c, y + left * args.in_c);
    fill(y + (left + inside) * args.in_c, (layout.width - left - inside) * args.in_c, zero);
  }
  fill(y, 3, 0);  // the last window's odd quad reads up to three bytes more
}

inline __m512i broadcast_quad(const uint8_t* x) {
  int32_t quad;
  __builtin_memcpy(&quad, x, 4);
  return _mm512_set1_epi32(quad);
}

struct Job {
  const kinglet_conv2d_s8_args* args;
  Layout layout;
  const uint8_t* picture;
  const int8_t* weights;
  const int32_t *bias, *mantissas, *shifts, *offsets;  // offsets: one a pixel, or null
  int8_t* y;
};

// -weight zero point times the sum of the window's bytes, for each output pixel.
void make_offsets(const kinglet_conv2d_s8_args& args, const Layout& layout, const uint8_t* picture, int32_t* offsets) {
  const kinglet_window& w = args.window;
  const int32_t run = w.kernel_w * args.in_c;
  for (int32_t oy = 0; oy < w.out_h; ++oy) {
    for (int32_t ox = 0; ox < w.out_w; ++ox) {
      const uint8_t* row = picture + oy * w.stride_h * layout.row + ox * w.stride_w * args.in_c;
      __m512i sums = _mm512_setzero_si512();
      for (int32_t ky = 0; ky < w.kernel_h; ++ky, row += layout.row)
        for (int32_t i = 0; i < run; i += 64)
          sums = _mm512_add_epi64(sums, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(first_bytes(run - i), row + i), _mm512_setzero_si512()));
      *offsets++ = (int32_t)(-args.weight_zero * (uint32_t)_mm512_reduce_add_epi64(sums));
    }
  }
}

// Output pixels first .. first + P - 1 (in raster order) of B blocks of 16 channels.
template <int P, int B>
inline void tile(const Job& job, int32_t first, int32_t block) {
  const kinglet_window& w = job.args->window;
  const int32_t block_size = w.kernel_h * job.layout.quads * 64;
  const uint8_t* pixel[P];
  int32_t oy = first / w.out_w, ox = first % w.out_w;
  for (int p = 0; p < P; ++p) {
    pixel[p] = job.picture + oy * w.stride_h * job.layout.row + ox * w.stride_w * job.args->in_c;
    if (++ox == w.out_w) ox = 0, ++oy;
  }
  __m512i sum[P][B];
  for (int p = 0; p < P; ++p)
    for (int b = 0; b < B; ++b) {
      sum[p][b] = _mm512_loadu_si512(job.bias + (block + b) * 16);
      if (job.offsets) sum[p][b] = _mm512_add_epi32(sum[p][b], _mm512_set1_epi32(job.offsets[first + p]));
    }
  const int8_t* weights = job.weights + (int64_t)block * block_size;
  for (int32_t ky = 0; ky < w.kernel_h; ++ky) {
    for (int32_t g = 0; g < job.layout.quads; ++g, weights += 64) {
      __m512i taps[B];
      for (int b = 0; b < B; ++b) taps[b] = _mm512_loadu_si512(weights + b * block_size);
      for (int p = 0; p < P; ++p) {
        const __m512i x = broadcast_quad(pixel[p] + 4 * g);
        for (int b = 0; b < B; ++b) sum[p][b] = _mm512_dpbusd_epi32(sum[p][b], x, taps[b]);
      }
    }
    for (int p = 0; p < P; ++p) pixel[p] += job.layout.row;
  }
  const __m512i zero = _mm512_set1_epi32(job.args->out_zero);
  const __m512i min = _mm512_set1_epi32(job.args->out_min - job.args->out_zero);
  const __m512i max = _mm512_set1_epi32(job.args->out_max - job.args->out_zero);
  for (int b = 0; b < B; ++b) {
    const int32_t channel = (block + b) * 16;
    const int32_t left = job.args->out_c - channel;
    const __mmask16 stored = (__mmask16)(left >= 16 ? 0xFFFF : (1 << left) - 1);
    const Scaler scaler = make_scaler(_mm512_loadu_si512(job.mantissas + channel), _mm512_loadu_si512(job.shifts + channel));
    for (int p = 0; p < P; ++p) {
      const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(requantize(sum[p][b], scaler), min), max);
      _mm512_mask_cvtepi32_storeu_epi8(job.y + (int64_t)(first + p) * job.args->out_c + channel, stored, _mm512_add_epi32(clamped, zero));
    }
  }
}

template <int B>
void blocks(const Job& job, int32_t block) {
  const int32_t pixels = job.args->window.out_h * job.args->window.out_w;
  int32_t first = 0;
  for (; first + 8 <= pixels; first += 8) tile<8, B>(job, first, block);
  for (; first + 4 <= pixels; first += 4) tile<4, B>(job, first, block);
  for (; first < pixels; ++first) tile<1, B>(job, first, block);
}

}  // namespace

extern "C" void kinglet_conv2d_s8_x86_avx512vnni(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights,
                                                 const int32_t* bias, const int32_t* mantissas, const int32_t* shifts, uint8_t* scratch,
                                                 int8_t* y) {
  const Layout layout = make_layout(*args);
  // Behind the picture and the bytes that its last quad reads, aligned to 64.
  int32_t* offsets = args->weight_zero ? (int32_t*)(scratch + ((int64_t)layout.height * layout.row + 3 + 63) / 64 * 64) : nullptr;
  const Job job{args, layout, scratch, weights, bias, mantissas, shifts, offsets, y};
  pad_picture(*args, layout, x, scratch);
  if (offsets) make_offsets(*args, layout, scratch, offsets);
  const int32_t block_count = (args->out_c + 15) / 16;
  int32_t block = 0;
  for (; block + 2 <= block_count; block += 2) blocks<2>(job, block);
  if (block < block_count) blocks<1>(job, block);
}
