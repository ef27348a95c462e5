// The kernels by name (kernels/kernels.def) and the levels of instruction sets that choose among them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/kernel_api.h"

namespace kinglet::plan {

enum class Kernel : uint16_t {
#define KINGLET_KERNEL(name, args) name,
#define KINGLET_X86_KERNEL(name, feature, args) name##_x86_##feature,
#include "kernels/kernels.def"
#undef KINGLET_KERNEL
#undef KINGLET_X86_KERNEL
};

std::string_view kernel_name(Kernel kernel);  ///< "conv2d_s8_x86_avx2"
std::vector<Kernel> all_kernels();

/// Each level includes the ones before it. avx2 means AVX2 and FMA; avx512vnni means AVX-512 F, BW, VL and VNNI.
enum class Isa : uint8_t { generic, avx2, avx512vnni };

std::string_view isa_name(Isa isa);
/// What this processor has, generic first.
std::vector<Isa> available_isas();
/// The level a kernel needs; generic for the portable ones.
Isa kernel_isa(Kernel kernel);

using Args =
    std::variant<kinglet_conv2d_s8_args, kinglet_fully_connected_s8_args, kinglet_add_s8_args, kinglet_mul_s8_args, kinglet_pool2d_s8_args,
                 kinglet_mean_s8_args, kinglet_softmax_s8_args, kinglet_pad_s8_args, kinglet_count_args, kinglet_quantize_f32_args,
                 kinglet_dequantize_s8_args, kinglet_conv2d_f32_args, kinglet_fully_connected_f32_args, kinglet_binary_f32_args,
                 kinglet_pool2d_f32_args, kinglet_mean_f32_args, kinglet_softmax_f32_args, kinglet_pad_f32_args, kinglet_clamp_f32_args,
                 kinglet_strided_copy_args, kinglet_concatenate_args, kinglet_resize_nearest_args, kinglet_arg_max_args>;

}  // namespace kinglet::plan
