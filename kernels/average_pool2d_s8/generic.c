#include "kernels/kernels.h"
#include "kernels/requantize.h"

/* Sixteen is a number that compilers can unroll. */
static void average_pool2d_s8_add(const int8_t* x, int32_t n, int32_t* sum) {
  if (n == 16) {
    for (int32_t i = 0; i < 16; ++i) sum[i] += x[i];
  } else {
    for (int32_t i = 0; i < n; ++i) sum[i] += x[i];
  }
}

static int32_t average_pool2d_s8_mean(int32_t sum, int32_t count, int32_t round_half_up) {
  if (count == 0) return 0;
  if (round_half_up) return (sum + 128 * count + count / 2) / count - 128; /* of the bytes, which are no less than 0 */
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* Average of the pixels inside the picture, rounded half away from zero or half up. Input and output share scale and zero point. */
KINGLET_EXPORT void kinglet_average_pool2d_s8(const kinglet_pool2d_s8_args* args, const int8_t* x, int8_t* y) {
  const kinglet_window* win = &args->window;
  for (int32_t oy = 0; oy < win->out_h; ++oy) {
    const int32_t top = oy * win->stride_h - win->pad_top;
    const int32_t y0 = top < 0 ? 0 : top, y1 = top + win->kernel_h > win->in_h ? win->in_h : top + win->kernel_h;
    for (int32_t ox = 0; ox < win->out_w; ++ox) {
      const int32_t left = ox * win->stride_w - win->pad_left;
      const int32_t x0 = left < 0 ? 0 : left, x1 = left + win->kernel_w > win->in_w ? win->in_w : left + win->kernel_w;
      const int32_t count = (y1 - y0) * (x1 - x0);
      for (int32_t c = 0; c < args->channels; c += 16) { /* sixteen channels at a time, so that pixels are read in their order */
        const int32_t n = args->channels - c < 16 ? args->channels - c : 16;
        int32_t sum[16] = {0};
        for (int32_t iy = y0; iy < y1; ++iy) {
          for (int32_t ix = x0; ix < x1; ++ix) {
            const int8_t* pixel = x + (iy * win->in_w + ix) * args->channels + c;
            average_pool2d_s8_add(pixel, n, sum);
          }
        }
        for (int32_t i = 0; i < n; ++i) {
          const int32_t mean = average_pool2d_s8_mean(sum[i], count, args->round_half_up);
          *y++ = (int8_t)kinglet_clamp(mean, args->out_min, args->out_max);
        }
      }
    }
  }
}
