// A BatchNorm over this batch and the Relu or Relu6 behind it as one torch operation: four passes over the pixels, where the
// two by themselves take eight.
#pragma once

#include <ATen/ATen.h>

#include "graph/attrs.h"

namespace kinglet::train {

struct NormParameters {
  at::Tensor gamma, beta;
  at::Tensor running_mean, running_var;  ///< updated: the variance unbiased, rows / (rows - 1)
  double eps = 0, momentum = 0;
};

/// activation(gamma (x - mean) / sqrt(variance + eps) + beta) with this batch's mean and variance; x is NHWC float32 on the CPU.
at::Tensor apply_norm(const at::Tensor& x, const NormParameters& parameters, graph::Activation activation);

}  // namespace kinglet::train
