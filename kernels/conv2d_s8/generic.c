#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Sum over the window at (oy, ox) for one output channel; pixels outside the picture add nothing. */
static int32_t conv2d_s8_sum(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, int32_t oy, int32_t ox,
                             int32_t sum) {
  const kinglet_window* win = &args->window;
  for (int32_t ky = 0; ky < win->kernel_h; ++ky) {
    const int32_t iy = oy * win->stride_h - win->pad_top + ky * win->dilation_h;
    if (iy < 0 || iy >= win->in_h) continue;
    for (int32_t kx = 0; kx < win->kernel_w; ++kx) {
      const int32_t ix = ox * win->stride_w - win->pad_left + kx * win->dilation_w;
      if (ix < 0 || ix >= win->in_w) continue;
      const int8_t* pixel = x + (iy * win->in_w + ix) * args->in_c;
      const int8_t* taps = weights + (ky * win->kernel_w + kx) * args->in_c;
      for (int32_t c = 0; c < args->in_c; ++c) sum = kinglet_multiply_add(sum, pixel[c] - args->in_zero, taps[c]);
    }
  }
  return sum;
}

/* Sum of x - zero point over the window at (oy, ox): what a weight's zero point of 1 would take away. */
static int32_t conv2d_s8_input_sum(const kinglet_conv2d_s8_args* args, const int8_t* x, int32_t oy, int32_t ox) {
  const kinglet_window* win = &args->window;
  int32_t sum = 0;
  for (int32_t ky = 0; ky < win->kernel_h; ++ky) {
    const int32_t iy = oy * win->stride_h - win->pad_top + ky * win->dilation_h;
    if (iy < 0 || iy >= win->in_h) continue;
    for (int32_t kx = 0; kx < win->kernel_w; ++kx) {
      const int32_t ix = ox * win->stride_w - win->pad_left + kx * win->dilation_w;
      if (ix < 0 || ix >= win->in_w) continue;
      for (int32_t c = 0; c < args->in_c; ++c) sum += x[(iy * win->in_w + ix) * args->in_c + c] - args->in_zero;
    }
  }
  return sum;
}

/* Weights OHWI, bias and multipliers one an output channel. */
KINGLET_EXPORT void kinglet_conv2d_s8(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, const int32_t* bias,
                                      const kinglet_multiplier* multipliers, int8_t* y) {
  const kinglet_window* win = &args->window;
  const int32_t filter = win->kernel_h * win->kernel_w * args->in_c;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      const int32_t offset = args->weight_zero ? kinglet_multiply_add(0, -args->weight_zero, conv2d_s8_input_sum(args, x, oy, ox)) : 0;
      for (int32_t o = 0; o < args->out_c; ++o) {
        const int32_t sum = conv2d_s8_sum(args, x, weights + o * filter, oy, ox, kinglet_multiply_add(bias[o], offset, 1));
        *y++ = kinglet_quantized(kinglet_requantize(sum, multipliers[o]), args->out_zero, args->out_min, args->out_max);
      }
    }
  }
}
