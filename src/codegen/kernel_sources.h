// The text of the portable kernels, put into the library at build time (embed_kernels.cmake).
#pragma once

#include <string_view>

#include "plan/kernel.h"

namespace kinglet::codegen {

std::string_view kernel_api_source();   ///< kernels/kernel_api.h
std::string_view requantize_source();   ///< kernels/requantize.h
std::string_view preprocess_header();   ///< kernels/preprocess/preprocess.h
std::string_view preprocess_source();   ///< axis.h and the four sources behind it
/// kernels/NAME/generic.c without its includes of our headers; empty for kernels of an instruction set.
std::string_view kernel_source(plan::Kernel kernel);

}  // namespace kinglet::codegen
