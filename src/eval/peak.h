// What this processor can do at most, measured: the yardstick that kernels and models are held against.
#pragma once

#include <optional>

#include "base/dtype.h"
#include "plan/kernel.h"

namespace kinglet::eval {

/// Multiply-accumulates of one thread in 10^9/s when nothing but registers is touched, with the best exact instruction of
/// the level: int8 as PMADDWD (generic, avx2) or VPDPBUSD (avx512vnni), float32 as multiply and add (generic) or FMA.
/// Takes about 20 ms. None for other types, for a level this processor lacks, off x86-64, and in builds
/// without optimization or with sanitizers.
std::optional<double> peak_gmacs_per_s(plan::Isa isa, DType dtype);

}  // namespace kinglet::eval
