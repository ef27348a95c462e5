/* Arguments of the kernels: freestanding C99, plain structs, no pointers inside, so that a Plan can hold them and generated C
 * can write them as constants. Every kernel takes one struct, its inputs and constants, and last the output. Tensors are
 * NHWC with one picture; no kernel allocates, fails or, in int8, calls a library. */
#ifndef KINGLET_KERNEL_API_H
#define KINGLET_KERNEL_API_H

#include <stdint.h>

#ifndef KINGLET_EXPORT
#define KINGLET_EXPORT
#endif

/* value = mantissa * 2^(shift - 31); mantissa is 0 or in [2^30, 2^31). */
typedef struct {
  int32_t mantissa;
  int32_t shift;
} kinglet_multiplier;

/* A window sliding over the picture. Padding on the far side follows from the output size. */
typedef struct {
  int32_t in_h, in_w, out_h, out_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left;
} kinglet_window;

/* Depthwise: out_c = in_c x multiplier. Zero points are those of the quantized values (weight_zero: 0 but in models that came
 * from uint8); min and max clamp the output. */
typedef struct {
  kinglet_window window;
  int32_t in_c, out_c;
  int32_t in_zero, out_zero, out_min, out_max, weight_zero;
} kinglet_conv2d_s8_args;

/* multiplier_step: 1 = one multiplier an output, 0 = one for all. round_once: see kinglet_requantize_once. */
typedef struct {
  int32_t in_n, out_n;
  int32_t in_zero, out_zero, out_min, out_max;
  int32_t multiplier_step, round_once, weight_zero;
} kinglet_fully_connected_s8_args;

/* Output sizes, outermost first, and how far each input moves along each; 0 repeats it. */
typedef struct {
  int32_t size[4], step_a[4], step_b[4];
} kinglet_broadcast;

typedef struct {
  kinglet_broadcast shape;
  int32_t zero_a, zero_b, out_zero, out_min, out_max;
  int32_t left_shift;
  kinglet_multiplier multiplier_a, multiplier_b, multiplier_out;
} kinglet_add_s8_args;

typedef struct {
  kinglet_broadcast shape;
  int32_t zero_a, zero_b, out_zero, out_min, out_max;
  kinglet_multiplier multiplier;
} kinglet_mul_s8_args;

/* round_half_up: an average's halves go up, as in models that came from uint8; else away from zero. */
typedef struct {
  kinglet_window window;
  int32_t channels;
  int32_t out_min, out_max, round_half_up;
} kinglet_pool2d_s8_args;

/* Input [outer, reduce_a, middle, reduce_b, inner] to output [outer, middle, inner]. */
typedef struct {
  int32_t outer, reduce_a, middle, reduce_b, inner;
} kinglet_reduction;

typedef struct {
  kinglet_reduction shape;
  int32_t in_zero, out_zero;
  kinglet_multiplier multiplier;
} kinglet_mean_s8_args;

typedef struct {
  int32_t rows, n;
} kinglet_softmax_s8_args;

typedef struct {
  int32_t in[4], before[4], out[4];
} kinglet_padding;

typedef struct {
  kinglet_padding shape;
  int32_t value;
} kinglet_pad_s8_args;

typedef struct {
  int32_t n;
} kinglet_count_args;

/* Sizes and input steps of the output's axes, outermost first; the innermost copies `unit` bytes at a time. */
typedef struct {
  int32_t size[5], step[5];
  int32_t offset, unit;
} kinglet_strided_copy_args;

typedef struct {
  int32_t rows, bytes[4];
} kinglet_concatenate_args;

typedef struct {
  int32_t in_w, out_h, out_w, unit;
} kinglet_resize_nearest_args;

/* wide: int64 indices, else int32. */
typedef struct {
  int32_t outer, n, inner, wide;
} kinglet_arg_max_args;

/* Output bytes are int8 or uint8 as out_min says (-128 or 0). */
typedef struct {
  int32_t n;
  float scale;
  int32_t out_zero, out_min, out_max;
} kinglet_quantize_f32_args;

typedef struct {
  int32_t n;
  float scale;
  int32_t in_zero, is_unsigned;
} kinglet_dequantize_s8_args;

typedef struct {
  kinglet_window window;
  int32_t in_c, out_c;
  float out_min, out_max;
} kinglet_conv2d_f32_args;

typedef struct {
  int32_t in_n, out_n;
  float out_min, out_max;
} kinglet_fully_connected_f32_args;

typedef struct {
  kinglet_broadcast shape;
  float out_min, out_max;
} kinglet_binary_f32_args;

typedef struct {
  kinglet_window window;
  int32_t channels;
  float out_min, out_max;
} kinglet_pool2d_f32_args;

typedef struct {
  kinglet_reduction shape;
} kinglet_mean_f32_args;

typedef struct {
  int32_t rows, n;
  float beta;
} kinglet_softmax_f32_args;

typedef struct {
  kinglet_padding shape;
} kinglet_pad_f32_args;

typedef struct {
  int32_t n;
  float out_min, out_max;
} kinglet_clamp_f32_args;

#endif
