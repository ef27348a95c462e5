#include "kernels/kernels.h"

/* Largest of the pixels inside the picture; a window that holds none gives the least float. */
KINGLET_EXPORT void kinglet_max_pool2d_f32(const kinglet_pool2d_f32_args* args, const float* x, float* y) {
  const kinglet_window* win = &args->window;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    const int32_t top = oy * win->stride_h - win->pad_top;
    const int32_t y0 = top < 0 ? 0 : top, y1 = top + win->kernel_h > win->in_h ? win->in_h : top + win->kernel_h;
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      const int32_t left = ox * win->stride_w - win->pad_left;
      const int32_t x0 = left < 0 ? 0 : left, x1 = left + win->kernel_w > win->in_w ? win->in_w : left + win->kernel_w;
      for (int32_t c = 0; c < args->channels; ++c) {
        float best = -3.402823466e+38f;
        for (int32_t iy = y0; iy < y1; ++iy) {
          for (int32_t ix = x0; ix < x1; ++ix) {
            const float value = x[(iy * win->in_w + ix) * args->channels + c];
            if (value > best) best = value;
          }
        }
        *y++ = best < args->out_min ? args->out_min : best > args->out_max ? args->out_max : best;
      }
    }
  }
}
