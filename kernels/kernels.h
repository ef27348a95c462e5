/* Prototypes of all kernels of kernels.def. */
#ifndef KINGLET_KERNELS_H
#define KINGLET_KERNELS_H

#include "kernels/kernel_api.h"

#ifdef __cplusplus
extern "C" {
#endif

void kinglet_conv2d_s8(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, const int32_t* bias,
                       const kinglet_multiplier* multipliers, int8_t* y);
void kinglet_depthwise_conv2d_s8(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, const int32_t* bias,
                                 const kinglet_multiplier* multipliers, int8_t* y);
void kinglet_fully_connected_s8(const kinglet_fully_connected_s8_args* args, const int8_t* x, const int8_t* weights, const int32_t* bias,
                                const kinglet_multiplier* multipliers, int8_t* y);
void kinglet_add_s8(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y);
void kinglet_mul_s8(const kinglet_mul_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y);
void kinglet_average_pool2d_s8(const kinglet_pool2d_s8_args* args, const int8_t* x, int8_t* y);
void kinglet_max_pool2d_s8(const kinglet_pool2d_s8_args* args, const int8_t* x, int8_t* y);
void kinglet_mean_s8(const kinglet_mean_s8_args* args, const int8_t* x, int8_t* y);
void kinglet_softmax_s8(const kinglet_softmax_s8_args* args, const int8_t* x, const int32_t* table, int8_t* y);
void kinglet_pad_s8(const kinglet_pad_s8_args* args, const int8_t* x, int8_t* y);
void kinglet_lut_s8(const kinglet_count_args* args, const int8_t* x, const int8_t* table, int8_t* y);
void kinglet_quantize_f32(const kinglet_quantize_f32_args* args, const float* x, int8_t* y);
void kinglet_dequantize_s8(const kinglet_dequantize_s8_args* args, const int8_t* x, float* y);
void kinglet_copy(const kinglet_count_args* args, const int8_t* x, int8_t* y);
void kinglet_strided_copy(const kinglet_strided_copy_args* args, const int8_t* x, int8_t* y);
void kinglet_concatenate(const kinglet_concatenate_args* args, const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d, int8_t* y);
void kinglet_resize_nearest(const kinglet_resize_nearest_args* args, const int8_t* x, const int32_t* rows, const int32_t* columns, int8_t* y);
void kinglet_arg_max_s8(const kinglet_arg_max_args* args, const int8_t* x, void* y);
void kinglet_arg_max_f32(const kinglet_arg_max_args* args, const float* x, void* y);

void kinglet_conv2d_f32(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias, float* y);
void kinglet_depthwise_conv2d_f32(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias, float* y);
void kinglet_fully_connected_f32(const kinglet_fully_connected_f32_args* args, const float* x, const float* weights, const float* bias,
                                 float* y);
void kinglet_add_f32(const kinglet_binary_f32_args* args, const float* a, const float* b, float* y);
void kinglet_mul_f32(const kinglet_binary_f32_args* args, const float* a, const float* b, float* y);
void kinglet_average_pool2d_f32(const kinglet_pool2d_f32_args* args, const float* x, float* y);
void kinglet_max_pool2d_f32(const kinglet_pool2d_f32_args* args, const float* x, float* y);
void kinglet_mean_f32(const kinglet_mean_f32_args* args, const float* x, float* y);
void kinglet_softmax_f32(const kinglet_softmax_f32_args* args, const float* x, float* y);
void kinglet_pad_f32(const kinglet_pad_f32_args* args, const float* x, float* y);
void kinglet_clamp_f32(const kinglet_clamp_f32_args* args, const float* x, float* y);
void kinglet_logistic_f32(const kinglet_count_args* args, const float* x, float* y);
void kinglet_hard_swish_f32(const kinglet_count_args* args, const float* x, float* y);

/* The x86 twins. Weights, bias and multipliers are packed (x86_packing.h); `scratch` holds the padded picture. */
void kinglet_conv2d_s8_x86_avx2(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights, const int32_t* bias,
                                const int32_t* mantissas, const int32_t* shifts, int16_t* scratch, int8_t* y);
void kinglet_conv2d_s8_x86_avx512vnni(const kinglet_conv2d_s8_args* args, const int8_t* x, const int8_t* weights, const int32_t* bias,
                                      const int32_t* mantissas, const int32_t* shifts, uint8_t* scratch, int8_t* y);
void kinglet_depthwise_conv2d_s8_x86_avx2(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights, const int32_t* bias,
                                          const int32_t* mantissas, const int32_t* shifts, int16_t* scratch, int8_t* y);
void kinglet_depthwise_conv2d_s8_x86_avx512bw(const kinglet_conv2d_s8_args* args, const int8_t* x, const int16_t* weights, const int32_t* bias,
                                              const int32_t* mantissas, const int32_t* shifts, int16_t* scratch, int8_t* y);
void kinglet_fully_connected_s8_x86_avx2(const kinglet_fully_connected_s8_args* args, const int8_t* x, const int8_t* weights,
                                         const int32_t* bias, const kinglet_multiplier* multipliers, int8_t* y);
void kinglet_add_s8_x86_avx2(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y);
void kinglet_add_s8_x86_avx512bw(const kinglet_add_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y);
void kinglet_mul_s8_x86_avx2(const kinglet_mul_s8_args* args, const int8_t* a, const int8_t* b, int8_t* y);
void kinglet_conv2d_f32_x86_avx2(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias,
                                 float* scratch, float* y);
void kinglet_depthwise_conv2d_f32_x86_avx2(const kinglet_conv2d_f32_args* args, const float* x, const float* weights, const float* bias,
                                           float* y);
void kinglet_fully_connected_f32_x86_avx2(const kinglet_fully_connected_f32_args* args, const float* x, const float* weights,
                                          const float* bias, float* y);

#ifdef __cplusplus
}
#endif

#endif
