// Weights in the order in which an instruction set's kernels read them; each kernel's file says which. All padding is zero.
#pragma once

#include <span>
#include <vector>

#include "base/tensor.h"
#include "ops/numerics.h"

namespace kinglet::plan {

/// OHWI int8 to [block of 16 outputs][kernel row][quad][16][4] int8.
Tensor pack_conv2d_s8_avx512vnni(const Tensor& weights);
/// OHWI int8 to [block of 8 outputs][kernel row][pair][8][2] int16, less their zero point.
Tensor pack_conv2d_s8_avx2(const Tensor& weights, int32_t weight_zero);
/// OHWI float to [block of 8 outputs][kernel row][column x channel][8].
Tensor pack_conv2d_f32_avx2(const Tensor& weights);
/// 1HWC int8 to [block of 16 channels][pair of taps][2 halves][16] int16, less their zero point, halves in the order of unpacklo
/// and unpackhi.
Tensor pack_depthwise_conv2d_s8_avx2(const Tensor& weights, int32_t weight_zero);

/// Padded with zeros to a multiple of `block`.
Tensor padded_s32(std::span<const int32_t> values, size_t block);
Tensor padded_f32(std::span<const float> values, size_t block);
/// As padded_s32 with block 16, each block in the order of the depthwise kernel's halves.
Tensor depthwise_order_s32(std::span<const int32_t> values);

/// bias - (zero point + 128) * sum of the output's weights less their zero point, modulo 2^32: the kernel adds weights x (input + 128).
std::vector<int32_t> fold_offset_into_bias(std::span<const int32_t> bias, const Tensor& weights, int32_t weight_zero, int32_t zero_point);

/// n x 2: mantissa and shift, laid out as kinglet_multiplier.
Tensor multiplier_tensor(std::span<const ops::Multiplier> multipliers);
std::vector<int32_t> mantissas(std::span<const ops::Multiplier> multipliers);
std::vector<int32_t> shifts(std::span<const ops::Multiplier> multipliers);

}  // namespace kinglet::plan
