/* One sum in int8, as the reference makes it: what both vector kernels take where an operand is broadcast within a row. */
#ifndef KINGLET_ADD_S8_X86_ONE_H
#define KINGLET_ADD_S8_X86_ONE_H

#include "kernels/kernels.h"
#include "kernels/requantize.h"

namespace {

inline int8_t one(const kinglet_add_s8_args& args, int32_t a, int32_t b) {
  const int32_t unit = 1 << args.left_shift;
  const int32_t sum = kinglet_requantize((a - args.zero_a) * unit, args.multiplier_a) + kinglet_requantize((b - args.zero_b) * unit, args.multiplier_b);
  return kinglet_quantized(kinglet_requantize(sum, args.multiplier_out), args.out_zero, args.out_min, args.out_max);
}

}  // namespace

#endif
