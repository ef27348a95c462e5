// An affine region as one differentiable torch operation.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/affine_region.h"

namespace kinglet::train {

/// y = activation(A z + b) with this batch's statistics. z and y are NHWC. Gradients of the region's parameters are ADDED to `gradients`
/// (null: not wanted) when backward runs; `anchor` is any leaf that wants a gradient, so that backward runs even where z
/// wants none. Region, slots and gradients must outlive the graph of this step.
at::Tensor apply_affine_region(const AffineRegion& region, const AffineSlots& slots, const std::vector<float*>& gradients, const at::Tensor& z,
                               const at::Tensor& anchor);

/// The same with a given map, no gradient.
at::Tensor apply_affine_map(const AffineMap& map, graph::Activation activation, const at::Tensor& z);

}  // namespace kinglet::train
