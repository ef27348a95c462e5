#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Largest of the pixels inside the picture. Input and output share scale and zero point. */
KINGLET_EXPORT void kinglet_max_pool2d_s8(const kinglet_pool2d_s8_args* args, const int8_t* x, int8_t* y) {
  const kinglet_window* win = &args->window;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    const int32_t top = oy * win->stride_h - win->pad_top;
    const int32_t y0 = top < 0 ? 0 : top, y1 = top + win->kernel_h > win->in_h ? win->in_h : top + win->kernel_h;
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      const int32_t left = ox * win->stride_w - win->pad_left;
      const int32_t x0 = left < 0 ? 0 : left, x1 = left + win->kernel_w > win->in_w ? win->in_w : left + win->kernel_w;
      for (int32_t c = 0; c < args->channels; ++c) y[c] = -128;
      for (int32_t iy = y0; iy < y1; ++iy) {
        for (int32_t ix = x0; ix < x1; ++ix) {
          const int8_t* pixel = x + (iy * win->in_w + ix) * args->channels;
          for (int32_t c = 0; c < args->channels; ++c) y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
        }
      }
      for (int32_t c = 0; c < args->channels; ++c) y[c] = (int8_t)kinglet_clamp(y[c], args->out_min, args->out_max);
      y += args->channels;
    }
  }
}
