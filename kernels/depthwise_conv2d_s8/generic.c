#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Sum over the window at (oy, ox) for output channel o, which reads input channel c. */
static int32_t depthwise_conv2d_s8_sum(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, int32_t oy, int32_t ox,
                                       int32_t c, int32_t o, int32_t sum) {
  const kinglet_window* win = &args->window;
  for (int32_t ky = 0; ky < win->kernel_h; ++ky) {
    const int32_t iy = oy * win->stride_h - win->pad_top + ky * win->dilation_h;
    if (iy < 0 || iy >= win->in_h) continue;
    for (int32_t kx = 0; kx < win->kernel_w; ++kx) {
      const int32_t ix = ox * win->stride_w - win->pad_left + kx * win->dilation_w;
      if (ix < 0 || ix >= win->in_w) continue;
      const int32_t pixel = x[(iy * win->in_w + ix) * args->in_c + c] - args->in_zero;
      sum = kinglet_multiply_add(sum, pixel, weights[(ky * win->kernel_w + kx) * args->out_c + o] - args->weight_zero);
    }
  }
  return sum;
}

/* Weights 1HWC, bias and multipliers one an output channel. */
KINGLET_EXPORT void kinglet_depthwise_conv2d_s8(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights,
                                                const int32_t* bias, const kinglet_multiplier* multipliers, int8_t* y) {
  const kinglet_window* win = &args->window;
  const int32_t repeat = args->out_c / args->in_c;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      for (int32_t o = 0; o < args->out_c; ++o) {
        const int32_t sum = depthwise_conv2d_s8_sum(args, x, weights, oy, ox, o / repeat, o, bias[o]);
        *y++ = kinglet_quantized(kinglet_requantize(sum, multipliers[o]), args->out_zero, args->out_min, args->out_max);
      }
    }
  }
}
