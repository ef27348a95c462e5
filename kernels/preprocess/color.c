/* Pixels of a source row as RGB, BGR or gray bytes. */
#include "preprocess.h"

static uint8_t clamp_byte(int32_t v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

static void rgb_from_565(uint32_t v, uint8_t rgb[3]) {
  const uint32_t r = v >> 11, g = (v >> 5) & 63, b = v & 31;
  rgb[0] = (uint8_t)(r << 3 | r >> 2);
  rgb[1] = (uint8_t)(g << 2 | g >> 4);
  rgb[2] = (uint8_t)(b << 3 | b >> 2);
}

/* Full range BT.601 (JFIF 1.02) in 1/65536. The added 256 keeps the shifted number positive. */
static void rgb_from_yuv(int32_t y, int32_t u, int32_t v, uint8_t rgb[3]) {
  const int32_t bias = (256 << 16) + 32768;
  u -= 128;
  v -= 128;
  rgb[0] = clamp_byte(y + ((91881 * v + bias) >> 16) - 256);
  rgb[1] = clamp_byte(y + ((-22554 * u - 46802 * v + bias) >> 16) - 256);
  rgb[2] = clamp_byte(y + ((116130 * u + bias) >> 16) - 256);
}

static void read_rgb(const uint8_t* row, uint8_t format, int32_t x, uint8_t rgb[3]) {
  const uint8_t* pair = row + 4 * (x / 2); /* of YUV422: two pixels in four bytes */
  switch (format) {
    case KINGLET_PIXELS_RGB888:
      rgb[0] = row[3 * x], rgb[1] = row[3 * x + 1], rgb[2] = row[3 * x + 2];
      break;
    case KINGLET_PIXELS_BGR888:
      rgb[0] = row[3 * x + 2], rgb[1] = row[3 * x + 1], rgb[2] = row[3 * x];
      break;
    case KINGLET_PIXELS_RGB565_LE:
      rgb_from_565((uint32_t)row[2 * x] | (uint32_t)row[2 * x + 1] << 8, rgb);
      break;
    case KINGLET_PIXELS_RGB565_BE:
      rgb_from_565((uint32_t)row[2 * x] << 8 | row[2 * x + 1], rgb);
      break;
    case KINGLET_PIXELS_YUYV:
      rgb_from_yuv(pair[2 * (x & 1)], pair[1], pair[3], rgb);
      break;
    case KINGLET_PIXELS_UYVY:
      rgb_from_yuv(pair[2 * (x & 1) + 1], pair[0], pair[2], rgb);
      break;
    default: /* gray */
      rgb[0] = rgb[1] = rgb[2] = row[x];
      break;
  }
}

static void convert_gray(const uint8_t* row, uint8_t format, int32_t x, int32_t n, const int32_t w[3], uint8_t* out) {
  if (format == KINGLET_PIXELS_GRAY8) {
    for (int32_t i = 0; i < n; ++i) out[i] = row[x + i];
    return;
  }
  for (int32_t i = 0; i < n; ++i) {
    uint8_t rgb[3];
    read_rgb(row, format, x + i, rgb);
    out[i] = clamp_byte((w[0] * rgb[0] + w[1] * rgb[1] + w[2] * rgb[2] + 32768) >> 16);
  }
}

void kinglet_convert_pixels(const uint8_t* row, uint8_t format, int32_t x, int32_t n, uint8_t order, const int32_t gray_weights[3],
                            uint8_t* out) {
  if (order == KINGLET_ORDER_GRAY) {
    convert_gray(row, format, x, n, gray_weights, out);
    return;
  }
  const int32_t red = order == KINGLET_ORDER_RGB ? 0 : 2;
  for (int32_t i = 0; i < n; ++i) {
    uint8_t rgb[3];
    read_rgb(row, format, x + i, rgb);
    out[3 * i + red] = rgb[0];
    out[3 * i + 1] = rgb[1];
    out[3 * i + 2 - red] = rgb[2];
  }
}
