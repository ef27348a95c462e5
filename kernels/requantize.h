/* Scaling an int32 accumulator to the output's int8, as TensorFlow Lite Micro's reference kernels do it. */
#ifndef KINGLET_REQUANTIZE_H
#define KINGLET_REQUANTIZE_H

#include "kernels/kernel_api.h"

/* a + b * c modulo 2^32: foreign files can hold biases that overflow an accumulator. */
static inline int32_t kinglet_multiply_add(int32_t a, int32_t b, int32_t c) { return (int32_t)((uint32_t)a + (uint32_t)b * (uint32_t)c); }

static inline int32_t kinglet_clamp(int32_t x, int32_t min, int32_t max) { return x < min ? min : x > max ? max : x; }

/* round(a * b / 2^31), half up; a saturating doubling high multiply whose overflow (both -2^31) cannot occur here. */
static inline int32_t kinglet_doubling_high_multiply(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(x / 2^bits), half away from zero. */
static inline int32_t kinglet_rounding_shift(int32_t x, int32_t bits) {
  int32_t mask = (int32_t)(((uint32_t)1 << bits) - 1u);
  int32_t remainder = x & mask;
  int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> bits) + (remainder > threshold ? 1 : 0);
}

/* Rounds twice. */
static inline int32_t kinglet_requantize(int32_t x, kinglet_multiplier m) {
  int32_t left = m.shift > 0 ? m.shift : 0;
  int32_t right = m.shift > 0 ? 0 : -m.shift;
  int32_t shifted = (int32_t)((uint32_t)x << left);
  return kinglet_rounding_shift(kinglet_doubling_high_multiply(shifted, m.mantissa), right);
}

/* Rounds once, half up, in 64 bit; saturates. */
static inline int32_t kinglet_requantize_once(int32_t x, kinglet_multiplier m) {
  const int32_t shift = 31 - m.shift;
  const int64_t y = ((int64_t)x * m.mantissa + ((int64_t)1 << (shift - 1))) >> shift;
  return y > 2147483647 ? 2147483647 : y < -2147483647 ? -2147483647 : (int32_t)y;
}

/* clamp(scaled + zero, min, max), whatever scaled is. */
static inline int8_t kinglet_quantized(int32_t scaled, int32_t zero, int32_t min, int32_t max) {
  return (int8_t)(kinglet_clamp(scaled, min - zero, max - zero) + zero);
}

#endif
