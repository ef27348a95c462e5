/* The rows of two operands that are broadcast against each other, for the int8 kernels of two operands. */
#ifndef KINGLET_X86_BROADCAST_H
#define KINGLET_X86_BROADCAST_H

#include "kernels/kernels.h"

namespace {

/* Where both operands move by one, `contiguous(a, b, n, y)` makes the first of n outputs and returns how many; one(a, b) makes
 * each of the rest. */
template <class Contiguous, class One>
inline void for_each_row(const kinglet_broadcast& s, const int8_t* a, const int8_t* b, int8_t* y, const Contiguous& contiguous, const One& one) {
  const bool together = s.step_a[3] == 1 && s.step_b[3] == 1;
  for (int32_t i = 0; i < s.size[0]; ++i) {
    for (int32_t j = 0; j < s.size[1]; ++j) {
      for (int32_t k = 0; k < s.size[2]; ++k, y += s.size[3]) {
        const int8_t* row_a = a + i * s.step_a[0] + j * s.step_a[1] + k * s.step_a[2];
        const int8_t* row_b = b + i * s.step_b[0] + j * s.step_b[1] + k * s.step_b[2];
        for (int32_t l = together ? contiguous(row_a, row_b, s.size[3], y) : 0; l < s.size[3]; ++l)
          y[l] = one(row_a[l * s.step_a[3]], row_b[l * s.step_b[3]]);
      }
    }
  }
}

}  // namespace

#endif
