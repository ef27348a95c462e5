#include "kernels/kernels.h"

/* Sum over the window at (oy, ox) for output channel o, which reads input channel c. */
static float depthwise_conv2d_f32_sum(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, int32_t oy, int32_t ox,
                                      int32_t c, int32_t o) {
  const kinglet_window* win = &args->window;
  float sum = 0.0f;
  for (int32_t ky = 0; ky < win->kernel_h; ++ky) {
    const int32_t iy = oy * win->stride_h - win->pad_top + ky * win->dilation_h;
    if (iy < 0 || iy >= win->in_h) continue;
    for (int32_t kx = 0; kx < win->kernel_w; ++kx) {
      const int32_t ix = ox * win->stride_w - win->pad_left + kx * win->dilation_w;
      if (ix < 0 || ix >= win->in_w) continue;
      sum += x[(iy * win->in_w + ix) * args->in_c + c] * weights[(ky * win->kernel_w + kx) * args->out_c + o];
    }
  }
  return sum;
}

/* Weights 1HWC, bias one an output channel. */
KINGLET_EXPORT void kinglet_depthwise_conv2d_f32(const kinglet_conv2d_f32_args* args, const float* x, const float* weights,
                                                 const float* bias, float* y) {
  const kinglet_window* win = &args->window;
  const int32_t repeat = args->out_c / args->in_c;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      for (int32_t o = 0; o < args->out_c; ++o) {
        const float value = depthwise_conv2d_f32_sum(args, x, weights, oy, ox, o / repeat, o) + bias[o];
        *y++ = value < args->out_min ? args->out_min : value > args->out_max ? args->out_max : value;
      }
    }
  }
}
