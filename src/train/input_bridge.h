// From the numbers one model reads to those another reads of the same pictures: size, colour and range, all linear, so that mixed
// pictures stay mixed. A teacher sees what its student sees.
#pragma once

#include <array>
#include <vector>

#include "base/tensor.h"
#include "graph/input_spec.h"

namespace kinglet::train {

class InputBridge {
 public:
  InputBridge(const graph::InputSpec& from, const graph::InputSpec& to);
  /// Whether both read the same numbers.
  bool trivial() const { return trivial_; }
  /// N x H x W x C float32 of `from` -> of `to`. Sizes change bilinearly (half-pixel centres); a larger picture gains no detail.
  Tensor convert(const Tensor& pictures) const;

 private:
  Tensor convert_channels(const Tensor& pictures) const;
  Tensor resize(const Tensor& pictures) const;

  bool trivial_ = false;
  int in_channels_ = 0, out_channels_ = 0, out_height_ = 0, out_width_ = 0;
  std::vector<std::array<double, 4>> rows_;  ///< out[c] = rows[c][0..2] . in + rows[c][3]
};

}  // namespace kinglet::train
