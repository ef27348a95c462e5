#include "plan/pack.h"

#include "kernels/kernel_api.h"

namespace kinglet::plan {

static_assert(sizeof(kinglet_multiplier) == 2 * sizeof(int32_t));

namespace {

int64_t blocks_of(int64_t n, int64_t block) { return (n + block - 1) / block; }

/// OHWI to [block of B outputs][row][group][B][G], every row of the window rounded up to whole groups.
template <class From, class To>
Tensor pack_windows(const Tensor& weights, int64_t block, int64_t group, From zero = 0) {
  const Shape& s = weights.shape();
  const int64_t outputs = s[0], rows = s[1], run = s[2] * s[3], groups = blocks_of(run, group);
  Tensor packed(dtype_of<To>(), Shape{blocks_of(outputs, block), rows, groups, block, group});
  const auto from = weights.data<From>();
  auto to = packed.mutable_data<To>();
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < run; ++i) {
        const int64_t at = (((o / block * rows + r) * groups + i / group) * block + o % block) * group + i % group;
        to[static_cast<size_t>(at)] = static_cast<To>(from[static_cast<size_t>((o * rows + r) * run + i)] - zero);
      }
  return packed;
}

template <class T>
Tensor padded(std::span<const T> values, size_t block) {
  Tensor t(dtype_of<T>(), Shape{blocks_of(static_cast<int64_t>(values.size()), static_cast<int64_t>(block)) * static_cast<int64_t>(block)});
  std::copy(values.begin(), values.end(), t.mutable_data<T>().begin());
  return t;
}

/// Where channel c of a block of 16 lies: {half, position in the half}.
struct HalfPosition {
  int64_t half, position;
};
HalfPosition half_position(int64_t c) { return {c / 4 % 2, c / 8 * 4 + c % 4}; }

}  // namespace

Tensor pack_conv2d_s8_avx512vnni(const Tensor& weights) { return pack_windows<int8_t, int8_t>(weights, 16, 4); }
Tensor pack_conv2d_s8_avx2(const Tensor& weights, int32_t weight_zero) { return pack_windows<int8_t, int16_t>(weights, 8, 2, static_cast<int8_t>(weight_zero)); }
Tensor pack_conv2d_f32_avx2(const Tensor& weights) { return pack_windows<float, float>(weights, 8, 1); }

Tensor pack_depthwise_conv2d_s8_avx2(const Tensor& weights, int32_t weight_zero) {
  const Shape& s = weights.shape();
  const int64_t taps = s[1] * s[2], channels = s[3], pairs = blocks_of(taps, 2);
  Tensor packed(DType::s16, Shape{blocks_of(channels, 16), pairs, 2, 8, 2});
  const auto from = weights.data<int8_t>();
  auto to = packed.mutable_data<int16_t>();
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      const auto [half, position] = half_position(c % 16);
      const int64_t at = (((c / 16 * pairs + t / 2) * 2 + half) * 8 + position) * 2 + t % 2;
      to[static_cast<size_t>(at)] = static_cast<int16_t>(from[static_cast<size_t>(t * channels + c)] - weight_zero);
    }
  return packed;
}

Tensor padded_s32(std::span<const int32_t> values, size_t block) { return padded<int32_t>(values, block); }
Tensor padded_f32(std::span<const float> values, size_t block) { return padded<float>(values, block); }

Tensor depthwise_order_s32(std::span<const int32_t> values) {
  Tensor t(DType::s32, Shape{blocks_of(static_cast<int64_t>(values.size()), 16) * 16});
  auto to = t.mutable_data<int32_t>();
  for (size_t c = 0; c < values.size(); ++c) {
    const auto [half, position] = half_position(static_cast<int64_t>(c % 16));
    to[c / 16 * 16 + static_cast<size_t>(half * 8 + position)] = values[c];
  }
  return t;
}

std::vector<int32_t> fold_offset_into_bias(std::span<const int32_t> bias, const Tensor& weights, int32_t weight_zero, int32_t zero_point) {
  std::vector<int32_t> folded;
  const auto w = weights.data<int8_t>();
  const size_t filter = w.size() / bias.size();
  for (size_t o = 0; o < bias.size(); ++o) {
    uint32_t sum = 0;
    for (size_t i = 0; i < filter; ++i) sum += static_cast<uint32_t>(w[o * filter + i] - weight_zero);
    folded.push_back(static_cast<int32_t>(static_cast<uint32_t>(bias[o]) - static_cast<uint32_t>(zero_point + 128) * sum));
  }
  return folded;
}

Tensor multiplier_tensor(std::span<const ops::Multiplier> multipliers) {
  Tensor t(DType::s32, Shape{static_cast<int64_t>(multipliers.size()), 2});
  auto to = t.mutable_data<int32_t>();
  for (size_t i = 0; i < multipliers.size(); ++i) to[2 * i] = multipliers[i].mantissa, to[2 * i + 1] = multipliers[i].shift;
  return t;
}

std::vector<int32_t> mantissas(std::span<const ops::Multiplier> multipliers) {
  std::vector<int32_t> list;
  for (const auto& m : multipliers) list.push_back(m.mantissa);
  return list;
}

std::vector<int32_t> shifts(std::span<const ops::Multiplier> multipliers) {
  std::vector<int32_t> list;
  for (const auto& m : multipliers) list.push_back(m.shift);
  return list;
}

}  // namespace kinglet::plan
