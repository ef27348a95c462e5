/* The input contract in integers: any picture -> uint8 HWC of the model's size (stage 1), then one byte table a channel
 * (stage 2). Freestanding C99, no heap, no floating-point arithmetic: every machine gives the same bits. The definition in
 * words is docs/numerics.md, "Input contract". Output rows are made one at a time from few source rows. */
#ifndef KINGLET_KERNELS_PREPROCESS_H
#define KINGLET_KERNELS_PREPROCESS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the source. RGB565 LE: the low byte comes first. YUYV: Y0 U Y1 V; UYVY: U Y0 V Y1; both full range BT.601. */
enum kinglet_pixel_format {
  KINGLET_PIXELS_RGB888,
  KINGLET_PIXELS_BGR888,
  KINGLET_PIXELS_GRAY8,
  KINGLET_PIXELS_RGB565_LE,
  KINGLET_PIXELS_RGB565_BE,
  KINGLET_PIXELS_YUYV,
  KINGLET_PIXELS_UYVY
};
enum kinglet_color_order { KINGLET_ORDER_RGB, KINGLET_ORDER_BGR, KINGLET_ORDER_GRAY };
enum kinglet_resize_mode { KINGLET_RESIZE_STRETCH, KINGLET_RESIZE_CROP, KINGLET_RESIZE_LETTERBOX };
enum kinglet_resize_filter { KINGLET_FILTER_NEAREST, KINGLET_FILTER_BILINEAR, KINGLET_FILTER_AREA };
enum kinglet_coordinates { KINGLET_COORDINATES_HALF_PIXEL, KINGLET_COORDINATES_ASYMMETRIC, KINGLET_COORDINATES_ALIGN_CORNERS };

/* Largest side of a region and of an output; keeps every sum below 2^31. */
#define KINGLET_PREPROCESS_MAX_SIDE 16384
/* Coefficients of the resampling passes are integers in 2^-22. */
#define KINGLET_COEFFICIENT_BITS 22

typedef struct kinglet_stage1 {
  int32_t height, width;        /* of the output */
  uint8_t order;                /* kinglet_color_order; GRAY has 1 channel, the others 3 */
  uint8_t mode;                 /* kinglet_resize_mode */
  uint8_t filter;               /* kinglet_resize_filter */
  uint8_t antialias;            /* bilinear only: widen the triangle when shrinking */
  uint8_t coordinates;          /* kinglet_coordinates; AREA does not use them */
  uint8_t outside;              /* byte of letterbox bars and of region pixels beyond the picture's edge */
  int32_t crop_q16;             /* CROP: share of the largest fitting rectangle, in 1/65536 */
  int32_t gray_weights[3];      /* R, G, B in 1/65536 */
} kinglet_stage1;

typedef struct kinglet_picture {
  const uint8_t* pixels;        /* first byte of row 0; not read when `row` is set */
  int32_t height, width;
  int32_t stride_bytes;         /* from one row to the next */
  uint8_t format;               /* kinglet_pixel_format */
  /* Or rows on demand (a camera's line buffer, a decoder), asked for in rising order when output rows are made in rising
   * order; the pointer needs to hold until the next call. NULL: use `pixels`. */
  const uint8_t* (*row)(void* context, int32_t y);
  void* context;
} kinglet_picture;

/* A rectangle of the source in whole pixels; it may hang over the edge. */
typedef struct kinglet_region {
  int32_t top, left, height, width;
  int32_t mirrored;             /* left and right of the region's content swapped */
} kinglet_region;

typedef struct kinglet_resampler {
  kinglet_stage1 spec;
  kinglet_picture picture;
  kinglet_region region;
  int32_t fit_top, fit_left, fit_height, fit_width;  /* where the content lies in the output */
  int32_t channels, taps_w, taps_h;
  int32_t copy_columns, copy_rows;  /* region and content have the same width, height: a pass is left out */
  int32_t ring_from, ring_to;       /* source rows that lie in the ring, resampled in width */
  int32_t *first, *count, *coefficients, *row_coefficients;
  uint8_t *ring, *line;
} kinglet_resampler;

/* NULL when the three fit together, else what is wrong, for a message. Nothing below checks again. */
const char* kinglet_preprocess_check(const kinglet_stage1* spec, const kinglet_picture* picture, const kinglet_region* region);

/* The region that the contract itself takes: the whole picture, or for CROP the centred rectangle of the output's aspect
 * ratio, as large as fits, times crop_q16. */
kinglet_region kinglet_contract_region(const kinglet_stage1* spec, int32_t height, int32_t width);

/* Scratch for a region, a multiple of 4 bytes. */
size_t kinglet_preprocess_scratch_bytes(const kinglet_stage1* spec, const kinglet_region* region);

/* `scratch` is aligned to 4 bytes and stays with the resampler. */
void kinglet_resampler_init(kinglet_resampler* r, const kinglet_stage1* spec, const kinglet_picture* picture,
                            const kinglet_region* region, void* scratch);
/* Output row y (width * channels bytes). Rising order is the cheap one; any order gives the same bytes. */
void kinglet_resampler_row(kinglet_resampler* r, int32_t y, uint8_t* out);
/* init and all rows. */
void kinglet_preprocess(const kinglet_stage1* spec, const kinglet_picture* picture, const kinglet_region* region, void* scratch,
                        uint8_t* out);

/* `n` pixels of row bytes in `format` from pixel `x` on, as bytes of the asked order. `row` is the start of the row. */
void kinglet_convert_pixels(const uint8_t* row, uint8_t format, int32_t x, int32_t n, uint8_t order, const int32_t gray_weights[3],
                            uint8_t* out);

/* Stage 2 for 1 or 3 channels: tables[channel * 256 + byte]. The 8-bit one serves int8 and uint8 tensors; in and out may be the same. */
void kinglet_map_8(const uint8_t* in, int32_t pixels, int32_t channels, const uint8_t* tables, uint8_t* out);
void kinglet_map_f32(const uint8_t* in, int32_t pixels, int32_t channels, const float* tables, float* out);

#ifdef __cplusplus
}
#endif

#endif
