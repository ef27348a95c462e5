/* Stage 1: each needed source row is converted and resampled in width, then rows are blended in height. Both passes round
 * half up to a byte. Rows already resampled in width wait in a ring as long as the filter is high. */
#include "axis.h"

#define CHUNK 64
#define HALF (1 << (KINGLET_COEFFICIENT_BITS - 1))

static void copy_bytes(uint8_t* restrict to, const uint8_t* restrict from, int32_t n) {
  for (int32_t i = 0; i < n; ++i) to[i] = from[i];
}

static void fill_bytes(uint8_t* to, uint8_t value, int32_t n) {
  for (int32_t i = 0; i < n; ++i) to[i] = value;
}

static int32_t channels_of(const kinglet_stage1* spec) { return spec->order == KINGLET_ORDER_GRAY ? 1 : 3; }

/* (a * b) / c rounded half up, at least 1. */
static int32_t scaled(int32_t a, int32_t b, int32_t c) {
  const int32_t v = (int32_t)(((int64_t)a * b * 2 + c) / (2 * (int64_t)c));
  return v > 0 ? v : 1;
}

const char* kinglet_preprocess_check(const kinglet_stage1* s, const kinglet_picture* p, const kinglet_region* g) {
  const int32_t side = KINGLET_PREPROCESS_MAX_SIDE;
  if (s->height < 1 || s->width < 1 || s->height > side || s->width > side) return "the output needs sides of 1 to 16384";
  if (g->height < 1 || g->width < 1 || g->height > side || g->width > side) return "the region needs sides of 1 to 16384";
  if (p->height < 1 || p->width < 1 || p->height > 1 << 20 || p->width > 1 << 20) return "the picture needs sides of 1 to 1048576";
  if (g->top < -side || g->left < -side || g->top > 1 << 20 || g->left > 1 << 20) return "the region lies too far outside the picture";
  if (p->format > KINGLET_PIXELS_UYVY || s->order > KINGLET_ORDER_GRAY || s->mode > KINGLET_RESIZE_LETTERBOX ||
      s->filter > KINGLET_FILTER_AREA || s->coordinates > KINGLET_COORDINATES_ALIGN_CORNERS)
    return "an enumeration has an unknown value";
  if (p->format >= KINGLET_PIXELS_YUYV && p->width % 2) return "YUV422 needs an even width";
  for (int c = 0; c < 3; ++c)
    if (s->gray_weights[c] < 0 || s->gray_weights[c] > 1 << 20) return "a gray weight must lie in 0 to 16";
  if (s->crop_q16 < 1 || s->crop_q16 > 1 << 16) return "the crop must lie above 0 and not above 1";
  return NULL;
}

kinglet_region kinglet_contract_region(const kinglet_stage1* s, int32_t height, int32_t width) {
  kinglet_region g = {0, 0, height, width, 0};
  if (s->mode != KINGLET_RESIZE_CROP) return g;
  if ((int64_t)width * s->height <= (int64_t)height * s->width) {
    g.height = scaled(width, s->height, s->width);
  } else {
    g.width = scaled(height, s->width, s->height);
  }
  g.height = scaled(g.height, s->crop_q16, 1 << 16);
  g.width = scaled(g.width, s->crop_q16, 1 << 16);
  g.top = (height - g.height) / 2;
  g.left = (width - g.width) / 2;
  return g;
}

static void place_content(kinglet_resampler* r) {
  const kinglet_stage1* s = &r->spec;
  const kinglet_region* g = &r->region;
  r->fit_height = s->height;
  r->fit_width = s->width;
  if (s->mode == KINGLET_RESIZE_LETTERBOX) {
    if ((int64_t)s->width * g->height <= (int64_t)s->height * g->width) {
      r->fit_height = scaled(g->height, s->width, g->width);
    } else {
      r->fit_width = scaled(g->width, s->height, g->height);
    }
  }
  r->fit_top = (s->height - r->fit_height) / 2;
  r->fit_left = (s->width - r->fit_width) / 2;
}

static kinglet_axis axis_of(const kinglet_stage1* s, int32_t in, int32_t out) {
  const kinglet_axis a = {in, out, s->filter, s->antialias, s->coordinates};
  return a;
}

/* Sizes that both the scratch function and init need. */
static void lay_out(kinglet_resampler* r, const kinglet_stage1* spec, const kinglet_region* region) {
  r->spec = *spec;
  r->region = *region;
  place_content(r);
  r->channels = channels_of(spec);
  const kinglet_axis w = axis_of(spec, region->width, r->fit_width), h = axis_of(spec, region->height, r->fit_height);
  r->taps_w = kinglet_axis_taps(&w);
  r->taps_h = kinglet_axis_taps(&h);
  r->copy_columns = region->width == r->fit_width;
  r->copy_rows = region->height == r->fit_height;
}

size_t kinglet_preprocess_scratch_bytes(const kinglet_stage1* spec, const kinglet_region* region) {
  kinglet_resampler r;
  lay_out(&r, spec, region);
  const size_t table = (size_t)r.fit_width * (2 + (size_t)r.taps_w) + (size_t)r.taps_h;
  const size_t bytes = (size_t)r.channels * ((size_t)r.taps_h * (size_t)r.fit_width + (size_t)region->width);
  return (table * 4 + bytes + 3) / 4 * 4;
}

static void make_columns(kinglet_resampler* r) {
  const kinglet_axis axis = axis_of(&r->spec, r->region.width, r->fit_width);
  for (int32_t i = 0; i < r->fit_width; ++i) {
    const int32_t x = r->region.mirrored ? r->fit_width - 1 - i : i;
    r->first[x] = kinglet_axis_sample(&axis, i, &r->count[x], r->coefficients + (size_t)x * (size_t)r->taps_w);
  }
}

void kinglet_resampler_init(kinglet_resampler* r, const kinglet_stage1* spec, const kinglet_picture* picture,
                            const kinglet_region* region, void* scratch) {
  lay_out(r, spec, region);
  r->picture = *picture;
  r->ring_from = r->ring_to = 0;
  r->first = (int32_t*)scratch;
  r->count = r->first + r->fit_width;
  r->coefficients = r->count + r->fit_width;
  r->row_coefficients = r->coefficients + (size_t)r->fit_width * (size_t)r->taps_w;
  r->ring = (uint8_t*)(r->row_coefficients + r->taps_h);
  r->line = r->ring + (size_t)r->taps_h * (size_t)r->fit_width * (size_t)r->channels;
  if (!r->copy_columns) make_columns(r);
}

/* Whether bytes of the source are bytes of the output's order as they stand. */
static int needs_no_conversion(const kinglet_resampler* r) {
  return (r->picture.format == KINGLET_PIXELS_RGB888 && r->spec.order == KINGLET_ORDER_RGB) ||
         (r->picture.format == KINGLET_PIXELS_BGR888 && r->spec.order == KINGLET_ORDER_BGR) ||
         (r->picture.format == KINGLET_PIXELS_GRAY8 && r->spec.order == KINGLET_ORDER_GRAY);
}

/* Region row y in the output's order: straight from the source when possible, else through the line buffer. */
static const uint8_t* source_line(kinglet_resampler* r, int32_t y) {
  const kinglet_picture* p = &r->picture;
  const int32_t row = r->region.top + y, left = r->region.left, width = r->region.width, c = r->channels;
  if (row < 0 || row >= p->height || left >= p->width || left + width <= 0) {
    fill_bytes(r->line, r->spec.outside, width * c);
    return r->line;
  }
  const uint8_t* bytes = p->row ? p->row(p->context, row) : p->pixels + (ptrdiff_t)row * p->stride_bytes;
  if (left >= 0 && left + width <= p->width && needs_no_conversion(r)) return bytes + (ptrdiff_t)left * c;
  const int32_t before = left < 0 ? -left : 0;
  const int32_t end = left + width > p->width ? p->width - left : width;
  fill_bytes(r->line, r->spec.outside, before * c);
  kinglet_convert_pixels(bytes, p->format, left + before, end - before, r->spec.order, r->spec.gray_weights, r->line + before * c);
  fill_bytes(r->line + end * c, r->spec.outside, (width - end) * c);
  return r->line;
}

static void copy_mirrored(const uint8_t* from, int32_t n, int32_t channels, uint8_t* to) {
  if (channels == 1) {
    for (int32_t x = 0; x < n; ++x) to[x] = from[n - 1 - x];
    return;
  }
  from += 3 * (n - 1);
  for (int32_t x = 0; x < n; ++x, from -= 3, to += 3) to[0] = from[0], to[1] = from[1], to[2] = from[2];
}

static void blend_columns_1(const kinglet_resampler* r, const uint8_t* line, uint8_t* out) {
  for (int32_t x = 0; x < r->fit_width; ++x) {
    const uint8_t* from = line + r->first[x];
    const int32_t* w = r->coefficients + (ptrdiff_t)x * r->taps_w;
    int32_t sum = HALF;
    for (int32_t k = 0; k < r->count[x]; ++k) sum += w[k] * from[k];
    out[x] = (uint8_t)(sum >> KINGLET_COEFFICIENT_BITS);
  }
}

static void blend_columns_3(const kinglet_resampler* r, const uint8_t* line, uint8_t* out) {
  for (int32_t x = 0; x < r->fit_width; ++x, out += 3) {
    const uint8_t* from = line + 3 * r->first[x];
    const int32_t* w = r->coefficients + (ptrdiff_t)x * r->taps_w;
    int32_t a = HALF, b = HALF, c = HALF;
    for (int32_t k = 0; k < r->count[x]; ++k, from += 3) {
      a += w[k] * from[0];
      b += w[k] * from[1];
      c += w[k] * from[2];
    }
    out[0] = (uint8_t)(a >> KINGLET_COEFFICIENT_BITS);
    out[1] = (uint8_t)(b >> KINGLET_COEFFICIENT_BITS);
    out[2] = (uint8_t)(c >> KINGLET_COEFFICIENT_BITS);
  }
}

static void pick_columns(const kinglet_resampler* r, const uint8_t* line, uint8_t* out) {
  if (r->channels == 1) {
    for (int32_t x = 0; x < r->fit_width; ++x) out[x] = line[r->first[x]];
    return;
  }
  for (int32_t x = 0; x < r->fit_width; ++x, out += 3) {
    const uint8_t* from = line + 3 * r->first[x];
    out[0] = from[0], out[1] = from[1], out[2] = from[2];
  }
}

/* The pass in width of region row y. */
static void make_line(kinglet_resampler* r, int32_t y, uint8_t* out) {
  const uint8_t* line = source_line(r, y);
  if (r->copy_columns && r->region.mirrored) {
    copy_mirrored(line, r->fit_width, r->channels, out);
  } else if (r->copy_columns) {
    copy_bytes(out, line, r->fit_width * r->channels);
  } else if (r->taps_w == 1) {
    pick_columns(r, line, out);
  } else if (r->channels == 1) {
    blend_columns_1(r, line, out);
  } else {
    blend_columns_3(r, line, out);
  }
}

static uint8_t* ring_line(const kinglet_resampler* r, int32_t y) {
  return r->ring + (size_t)(y % r->taps_h) * (size_t)r->fit_width * (size_t)r->channels;
}

/* Rows first .. end - 1 lie in the ring afterwards; rows that no sample needs are never made. */
static void fill_ring(kinglet_resampler* r, int32_t first, int32_t end) {
  if (first < r->ring_from || first > r->ring_to) r->ring_from = r->ring_to = first;
  for (; r->ring_to < end; ++r->ring_to) make_line(r, r->ring_to, ring_line(r, r->ring_to));
  if (r->ring_to - r->ring_from > r->taps_h) r->ring_from = r->ring_to - r->taps_h;
}

/* The pass in height: `n` bytes of an output row from `count` rows of the ring. */
static void blend_rows(const kinglet_resampler* r, int32_t first, int32_t count, int32_t n, uint8_t* out) {
  int32_t sums[CHUNK];
  for (int32_t at = 0; at < n; at += CHUNK) {
    const int32_t m = n - at < CHUNK ? n - at : CHUNK;
    for (int32_t i = 0; i < m; ++i) sums[i] = HALF;
    for (int32_t k = 0; k < count; ++k) {
      const uint8_t* from = ring_line(r, first + k) + at;
      const int32_t w = r->row_coefficients[k];
      for (int32_t i = 0; i < m; ++i) sums[i] += w * from[i];
    }
    for (int32_t i = 0; i < m; ++i) out[at + i] = (uint8_t)(sums[i] >> KINGLET_COEFFICIENT_BITS);
  }
}

static void make_content_row(kinglet_resampler* r, int32_t y, uint8_t* out) {
  if (r->copy_rows) {
    make_line(r, y, out);
    return;
  }
  const kinglet_axis axis = axis_of(&r->spec, r->region.height, r->fit_height);
  int32_t count;
  const int32_t first = kinglet_axis_sample(&axis, y, &count, r->row_coefficients), n = r->fit_width * r->channels;
  fill_ring(r, first, first + count);
  if (count == 1) {
    copy_bytes(out, ring_line(r, first), n);
  } else {
    blend_rows(r, first, count, n, out);
  }
}

void kinglet_resampler_row(kinglet_resampler* r, int32_t y, uint8_t* out) {
  const int32_t c = r->channels, row = y - r->fit_top, left = r->fit_left, right = left + r->fit_width;
  if (row < 0 || row >= r->fit_height) {
    fill_bytes(out, r->spec.outside, r->spec.width * c);
    return;
  }
  fill_bytes(out, r->spec.outside, left * c);
  make_content_row(r, row, out + left * c);
  fill_bytes(out + right * c, r->spec.outside, (r->spec.width - right) * c);
}

void kinglet_preprocess(const kinglet_stage1* spec, const kinglet_picture* picture, const kinglet_region* region, void* scratch,
                        uint8_t* out) {
  kinglet_resampler r;
  kinglet_resampler_init(&r, spec, picture, region, scratch);
  const size_t row_bytes = (size_t)spec->width * (size_t)r.channels;
  for (int32_t y = 0; y < spec->height; ++y) kinglet_resampler_row(&r, y, out + (size_t)y * row_bytes);
}
