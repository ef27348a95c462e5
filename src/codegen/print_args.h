// C initializers of kernel arguments and numbers.
#pragma once

#include <cstdint>
#include <string>

#include "plan/kernel.h"

namespace kinglet::codegen {

/// The struct's name in C: "kinglet_conv2d_s8_args".
std::string args_type(const plan::Args& args);
/// "{{8, 8, ...}, 3, 16}", members in the order of kernels/kernel_api.h.
std::string args_initializer(const plan::Args& args);

std::string literal(int32_t value);
/// Hexadecimal, so that no bit is lost. The value is finite.
std::string literal(float value);

}  // namespace kinglet::codegen
