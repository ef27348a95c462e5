/* Where the samples of one axis lie and how they are weighted, in exact integers; shared by the two passes. */
#ifndef KINGLET_KERNELS_PREPROCESS_AXIS_H
#define KINGLET_KERNELS_PREPROCESS_AXIS_H

#include "preprocess.h"

typedef struct kinglet_axis {
  int32_t in, out;
  uint8_t filter, antialias, coordinates;
} kinglet_axis;

/* Most taps that a sample of this axis can have. */
int32_t kinglet_axis_taps(const kinglet_axis* axis);

/* Taps of output sample i: source samples first .. first + *count - 1, weighted by coefficients[0 ..] in 2^-22. */
int32_t kinglet_axis_sample(const kinglet_axis* axis, int32_t i, int32_t* count, int32_t* coefficients);

#endif
