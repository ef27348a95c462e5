/* Taps of one axis. A bilinear weight is W(x) = max(0, D - |2 den x - p|): the sample stands at p / (2 den) and the triangle
 * reaches D / (2 den) to either side. All are integers, so the coefficients, W / sum W rounded to 2^-22, are exact. */
#include "axis.h"

typedef struct triangle {
  int32_t den, p, reach;
} triangle;

static int32_t minimum(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t maximum(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t ceil_div(int32_t a, int32_t b) { return (a + b - 1) / b; }
/* Toward minus infinity; b > 0. */
static int32_t floor_div(int32_t a, int32_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/* With one output sample there are no two corners to align: it stands on the first source sample. */
static int aligned(const kinglet_axis* a) { return a->coordinates == KINGLET_COORDINATES_ALIGN_CORNERS && a->out > 1; }

int32_t kinglet_axis_taps(const kinglet_axis* a) {
  int32_t taps = 2;
  if (a->filter == KINGLET_FILTER_NEAREST) return 1;
  if (a->filter == KINGLET_FILTER_AREA) {
    taps = ceil_div(a->in, a->out) + 1;
  } else if (a->antialias) {
    taps = aligned(a) ? ceil_div(2 * maximum(a->in - 1, a->out - 1), a->out - 1) : ceil_div(2 * maximum(a->in, a->out), a->out);
  }
  return minimum(taps, a->in);
}

static int32_t nearest_sample(const kinglet_axis* a, int32_t i) {
  int32_t x;
  if (a->coordinates == KINGLET_COORDINATES_HALF_PIXEL) {
    x = (2 * i + 1) * a->in / (2 * a->out);
  } else if (aligned(a)) {
    x = (2 * i * (a->in - 1) + a->out - 1) / (2 * (a->out - 1));
  } else {
    x = i * a->in / a->out;
  }
  return minimum(x, a->in - 1);
}

static triangle triangle_at(const kinglet_axis* a, int32_t i) {
  triangle t;
  int32_t in = a->in;
  t.den = a->out;
  if (aligned(a)) {
    t.den = a->out - 1;
    in = a->in - 1;
    t.p = 2 * i * in;
  } else if (a->coordinates == KINGLET_COORDINATES_HALF_PIXEL) {
    t.p = (2 * i + 1) * in - a->out;
  } else {
    t.p = 2 * i * in;
  }
  t.reach = 2 * (a->antialias ? maximum(in, t.den) : t.den);
  return t;
}

/* W / sum in 2^-22, rounded half up. W <= 2^15 and sum < 2^30. */
static int32_t coefficient(int64_t weight, int64_t sum) {
  return (int32_t)(((weight << (KINGLET_COEFFICIENT_BITS + 1)) + sum) / (2 * sum));
}

static int32_t bilinear_sample(const kinglet_axis* a, int32_t i, int32_t* count, int32_t* coefficients) {
  const triangle t = triangle_at(a, i);
  const int32_t first = maximum(0, floor_div(t.p - t.reach, 2 * t.den) + 1);
  const int32_t end = minimum(a->in, -floor_div(-(t.p + t.reach), 2 * t.den));
  int64_t sum = 0;
  for (int32_t x = first; x < end; ++x) {
    const int32_t off = 2 * t.den * x - t.p;
    const int32_t weight = t.reach - (off < 0 ? -off : off);
    coefficients[x - first] = weight;
    sum += weight;
  }
  for (int32_t k = 0; k < end - first; ++k) coefficients[k] = coefficient(coefficients[k], sum);
  *count = end - first;
  return first;
}

/* Pixel x covers x*out .. (x+1)*out, output sample i covers i*in .. (i+1)*in; the weight is what they share. */
static int32_t area_sample(const kinglet_axis* a, int32_t i, int32_t* count, int32_t* coefficients) {
  const int32_t low = i * a->in, high = low + a->in;
  const int32_t first = low / a->out, end = ceil_div(high, a->out);
  for (int32_t x = first; x < end; ++x) {
    const int32_t shared = minimum((x + 1) * a->out, high) - maximum(x * a->out, low);
    coefficients[x - first] = coefficient(shared, a->in);
  }
  *count = end - first;
  return first;
}

int32_t kinglet_axis_sample(const kinglet_axis* a, int32_t i, int32_t* count, int32_t* coefficients) {
  switch (a->filter) {
    case KINGLET_FILTER_BILINEAR:
      return bilinear_sample(a, i, count, coefficients);
    case KINGLET_FILTER_AREA:
      return area_sample(a, i, count, coefficients);
    default:
      *count = 1;
      coefficients[0] = 1 << KINGLET_COEFFICIENT_BITS;
      return nearest_sample(a, i);
  }
}
