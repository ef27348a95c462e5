#include "kernels/kernels.h"

/* Sum over the window at (oy, ox) for one output channel; pixels outside the picture are zero. */
static float conv2d_f32_sum(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, int32_t oy, int32_t ox) {
  const kinglet_window* win = &args->window;
  float sum = 0.0f;
  for (int32_t ky = 0; ky < win->kernel_h; ++ky) {
    const int32_t iy = oy * win->stride_h - win->pad_top + ky * win->dilation_h;
    if (iy < 0 || iy >= win->in_h) continue;
    for (int32_t kx = 0; kx < win->kernel_w; ++kx) {
      const int32_t ix = ox * win->stride_w - win->pad_left + kx * win->dilation_w;
      if (ix < 0 || ix >= win->in_w) continue;
      const float* pixel = x + (iy * win->in_w + ix) * args->in_c;
      const float* taps = weights + (ky * win->kernel_w + kx) * args->in_c;
      for (int32_t c = 0; c < args->in_c; ++c) sum += pixel[c] * taps[c];
    }
  }
  return sum;
}

/* Weights OHWI, bias one an output channel. */
KINGLET_EXPORT void kinglet_conv2d_f32(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias,
                                       float* y) {
  const kinglet_window* win = &args->window;
  const int32_t filter = win->kernel_h * win->kernel_w * args->in_c;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      for (int32_t o = 0; o < args->out_c; ++o) {
        const float value = conv2d_f32_sum(args, x, weights + o * filter, oy, ox) + bias[o];
        *y++ = value < args->out_min ? args->out_min : value > args->out_max ? args->out_max : value;
      }
    }
  }
}
