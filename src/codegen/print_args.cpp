#include "codegen/print_args.h"

#include <fmt/format.h>

#include <cstdio>
#include <limits>

namespace kinglet::codegen {

std::string literal(int32_t value) {
  return value == std::numeric_limits<int32_t>::min() ? "-2147483647 - 1" : std::to_string(value);
}

std::string literal(float value) {
  char text[40];
  std::snprintf(text, sizeof text, "%af", static_cast<double>(value));
  return text;
}

namespace {

/// Collects "{a, b, {c}}" from members.
class Braces {
 public:
  Braces& add(int32_t v) { return text(literal(v)); }
  Braces& add(float v) { return text(literal(v)); }
  Braces& add(const kinglet_multiplier& m) { return text(Braces().add(m.mantissa).add(m.shift).str()); }
  template <size_t N>
  Braces& add(const int32_t (&list)[N]) {
    Braces b;
    for (int32_t v : list) b.add(v);
    return text(b.str());
  }
  Braces& add(const kinglet_window& w) {
    Braces b;
    for (int32_t v : {w.in_h, w.in_w, w.out_h, w.out_w, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left}) b.add(v);
    return text(b.str());
  }
  Braces& add(const kinglet_broadcast& s) { return text(Braces().add(s.size).add(s.step_a).add(s.step_b).str()); }
  Braces& add(const kinglet_padding& s) { return text(Braces().add(s.in).add(s.before).add(s.out).str()); }
  Braces& add(const kinglet_reduction& s) {
    return text(Braces().add(s.outer).add(s.reduce_a).add(s.middle).add(s.reduce_b).add(s.inner).str());
  }
  std::string str() const { return "{" + list_ + "}"; }

 private:
  Braces& text(const std::string& s) {
    list_ += (list_.empty() ? "" : ", ") + s;
    return *this;
  }
  std::string list_;
};

template <class... Members>
std::string braces(const Members&... members) {
  Braces b;
  (b.add(members), ...);
  return b.str();
}

std::string print(const kinglet_conv2d_s8_args& a) { return braces(a.window, a.in_c, a.out_c, a.in_zero, a.out_zero, a.out_min, a.out_max, a.weight_zero); }
std::string print(const kinglet_fully_connected_s8_args& a) {
  return braces(a.in_n, a.out_n, a.in_zero, a.out_zero, a.out_min, a.out_max, a.multiplier_step, a.round_once, a.weight_zero);
}
std::string print(const kinglet_add_s8_args& a) {
  return braces(a.shape, a.zero_a, a.zero_b, a.out_zero, a.out_min, a.out_max, a.left_shift, a.multiplier_a, a.multiplier_b, a.multiplier_out);
}
std::string print(const kinglet_mul_s8_args& a) { return braces(a.shape, a.zero_a, a.zero_b, a.out_zero, a.out_min, a.out_max, a.multiplier); }
std::string print(const kinglet_pool2d_s8_args& a) { return braces(a.window, a.channels, a.out_min, a.out_max, a.round_half_up); }
std::string print(const kinglet_mean_s8_args& a) { return braces(a.shape, a.in_zero, a.out_zero, a.multiplier); }
std::string print(const kinglet_softmax_s8_args& a) { return braces(a.rows, a.n); }
std::string print(const kinglet_pad_s8_args& a) { return braces(a.shape, a.value); }
std::string print(const kinglet_count_args& a) { return braces(a.n); }
std::string print(const kinglet_quantize_f32_args& a) { return braces(a.n, a.scale, a.out_zero, a.out_min, a.out_max); }
std::string print(const kinglet_dequantize_s8_args& a) { return braces(a.n, a.scale, a.in_zero, a.is_unsigned); }
std::string print(const kinglet_conv2d_f32_args& a) { return braces(a.window, a.in_c, a.out_c, a.out_min, a.out_max); }
std::string print(const kinglet_fully_connected_f32_args& a) { return braces(a.in_n, a.out_n, a.out_min, a.out_max); }
std::string print(const kinglet_binary_f32_args& a) { return braces(a.shape, a.out_min, a.out_max); }
std::string print(const kinglet_pool2d_f32_args& a) { return braces(a.window, a.channels, a.out_min, a.out_max); }
std::string print(const kinglet_mean_f32_args& a) { return braces(a.shape); }
std::string print(const kinglet_softmax_f32_args& a) { return braces(a.rows, a.n, a.beta); }
std::string print(const kinglet_pad_f32_args& a) { return braces(a.shape); }
std::string print(const kinglet_clamp_f32_args& a) { return braces(a.n, a.out_min, a.out_max); }
std::string print(const kinglet_strided_copy_args& a) { return braces(a.size, a.step, a.offset, a.unit); }
std::string print(const kinglet_concatenate_args& a) { return braces(a.rows, a.bytes); }
std::string print(const kinglet_resize_nearest_args& a) { return braces(a.in_w, a.out_h, a.out_w, a.unit); }
std::string print(const kinglet_arg_max_args& a) { return braces(a.outer, a.n, a.inner, a.wide); }

#define KINGLET_ARGS_NAME(type) \
  std::string name(const type&) { return #type; }
KINGLET_ARGS_NAME(kinglet_conv2d_s8_args)
KINGLET_ARGS_NAME(kinglet_fully_connected_s8_args)
KINGLET_ARGS_NAME(kinglet_add_s8_args)
KINGLET_ARGS_NAME(kinglet_mul_s8_args)
KINGLET_ARGS_NAME(kinglet_pool2d_s8_args)
KINGLET_ARGS_NAME(kinglet_mean_s8_args)
KINGLET_ARGS_NAME(kinglet_softmax_s8_args)
KINGLET_ARGS_NAME(kinglet_pad_s8_args)
KINGLET_ARGS_NAME(kinglet_count_args)
KINGLET_ARGS_NAME(kinglet_quantize_f32_args)
KINGLET_ARGS_NAME(kinglet_dequantize_s8_args)
KINGLET_ARGS_NAME(kinglet_conv2d_f32_args)
KINGLET_ARGS_NAME(kinglet_fully_connected_f32_args)
KINGLET_ARGS_NAME(kinglet_binary_f32_args)
KINGLET_ARGS_NAME(kinglet_pool2d_f32_args)
KINGLET_ARGS_NAME(kinglet_mean_f32_args)
KINGLET_ARGS_NAME(kinglet_softmax_f32_args)
KINGLET_ARGS_NAME(kinglet_pad_f32_args)
KINGLET_ARGS_NAME(kinglet_clamp_f32_args)
KINGLET_ARGS_NAME(kinglet_strided_copy_args)
KINGLET_ARGS_NAME(kinglet_concatenate_args)
KINGLET_ARGS_NAME(kinglet_resize_nearest_args)
KINGLET_ARGS_NAME(kinglet_arg_max_args)
#undef KINGLET_ARGS_NAME

}  // namespace

std::string args_type(const plan::Args& args) {
  return std::visit([](const auto& a) { return name(a); }, args);
}

std::string args_initializer(const plan::Args& args) {
  return std::visit([](const auto& a) { return print(a); }, args);
}

}  // namespace kinglet::codegen
