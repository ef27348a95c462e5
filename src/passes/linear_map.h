// An affine map from the kernel-sized neighbourhood of a source to one pixel, in double: what a region of convolutions,
// normalizations and sums amounts to. Padding is the source's own zeros, which is what keeps borders exact.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "passes/rewrite.h"

namespace kinglet::passes {

/// out[y][x][o] = bias[o] + sum over ky, kx, i of kernel(o, ky, kx, i) * source[y*stride_h - pad_top + ky][...][i], the source
/// being zero outside. `diagonal`: o reads channel o only (depthwise, normalization, identity).
struct LinearMap {
  int out_channels = 0, in_channels = 0;
  bool diagonal = false;
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::vector<double> kernel;  ///< OHWI; HWC when diagonal
  std::vector<double> bias;

  bool pointwise() const { return kernel_h == 1 && kernel_w == 1 && !padded(); }
  bool padded() const { return pad_top || pad_left || pad_bottom || pad_right; }
};

/// A map, or why there is none.
using MapOrReason = std::variant<LinearMap, std::string>;

LinearMap identity_map(int channels);
LinearMap affine_map(const ChannelAffine& affine);
/// Of a Conv2d or DepthwiseConv2d (multiplier 1) without activation and dilation, with float constants for weights.
LinearMap convolution_map(const graph::Graph& graph, const graph::Node& node);

/// outer after inner. Exact when outer is pointwise, or when inner is pointwise with stride 1 and outer reads no padding
/// (or inner has no bias, so that its zeros stay zeros).
MapOrReason compose(const LinearMap& outer, const LinearMap& inner);
/// a + b on one source; kernels are aligned by their padding.
MapOrReason add(const LinearMap& a, const LinearMap& b);

/// The same map with a full OHWI kernel.
LinearMap dense(const LinearMap& map);

}  // namespace kinglet::passes
