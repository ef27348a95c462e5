// What this processor's multiply-accumulate instructions can do at most, measured with independent chains in registers.
#pragma once

#include "plan/kernel.h"

namespace kinglet::bench {

/// Multiply-accumulates per second of one thread, int8 or float32, with the instructions of a level.
double peak_macs_per_s(plan::Isa isa, bool is_float);

}  // namespace kinglet::bench
