// Exact batch statistics without touching the batch again: inside a part of a Graph made of 1x1 convolutions, BatchNorms
// and adds, every value is A z + b of the part's one source z, so each BatchNorm's mean is A mu + b and its variance is
// diag(A S A^T), with mu and S the mean and covariance of z over the batch. A RepConv block's 14 BatchNorms and 6
// convolutions become one covariance, some small matrices, and one 1x1 convolution: the same function, the same gradient.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace kinglet::train {

/// One operation of a region; `in`, `in2` and `out` number the region's values, 0 being the source.
struct AffineOp {
  graph::OpKind op;                    ///< Conv2d (1x1), BatchNorm or Add
  int in = 0, in2 = 0, out = 0;
  int channels = 0;                    ///< of the output
  graph::ValueId weight = graph::kNone, bias = graph::kNone;       ///< Conv2d; BatchNorm's gamma and beta
  graph::ValueId running_mean = graph::kNone, running_var = graph::kNone;
  double eps = 0, momentum = 0;
};

struct AffineRegion {
  graph::ValueId source = graph::kNone, sink = graph::kNone;
  int source_channels = 0, sink_channels = 0;
  graph::Activation activation = graph::Activation::none;  ///< of the one Relu or Relu6 that follows, part of the region
  std::vector<graph::NodeIndex> nodes;  ///< in order; the last makes the sink
  std::vector<AffineOp> ops;
  std::vector<graph::ValueId> parameters;  ///< weights, biases, gammas and betas, in order of first use
};

/// A BatchNorm over pictures, not over a row of features.
bool is_picture_norm(const graph::Graph& graph, const graph::Node& node);

/// The disjoint regions of `graph` with one source, one value read from outside and at least four BatchNorms (fewer are not
/// faster this way).
std::vector<AffineRegion> find_affine_regions(const graph::Graph& graph);

/// Where a parameter's or statistic's floats are; a null gradient is not wanted.
struct AffineSlots {
  std::vector<const float*> parameters;  ///< as AffineRegion::parameters
  std::vector<float*> running;           ///< mean, variance of each BatchNorm in order of ops
};

/// Before the activation: matrix z + offset, matrix row-major sink_channels x source_channels.
struct AffineMap {
  std::vector<double> matrix, offset;
};

/// With the running statistics.
AffineMap evaluate_affine(const AffineRegion& region, const AffineSlots& slots);

/// One training step's tape: forward with batch statistics (updating the running ones, variance unbiased by
/// pixels / (pixels - 1)), then backward.
class AffineTape {
 public:
  AffineTape(const AffineRegion& region, const AffineSlots& slots, std::span<const double> mean, std::span<const double> covariance,
             int64_t pixels);
  const AffineMap& map() const { return map_; }

  struct Gradients {
    std::vector<double> mean, covariance;              ///< with respect to mu and S (not symmetrized)
    std::vector<std::vector<double>> parameters;       ///< as AffineRegion::parameters
  };
  Gradients backward(std::span<const double> matrix_gradient, std::span<const double> offset_gradient) const;

 private:
  struct Point {  ///< a value of the region: A, A S, b, and for BatchNorm outputs what backward needs
    std::vector<double> a, p, b;
    std::vector<double> a_mean, inverse_deviation;
  };
  void forward_conv(const AffineOp& op);
  void forward_norm(const AffineOp& op, std::span<float> running_mean, std::span<float> running_var, int64_t pixels);
  void forward_add(const AffineOp& op);
  struct Adjoint;
  void backward_conv(const AffineOp& op, std::vector<Adjoint>& adjoints, Gradients& out) const;
  void backward_norm(const AffineOp& op, std::vector<Adjoint>& adjoints, Gradients& out) const;
  void backward_add(const AffineOp& op, std::vector<Adjoint>& adjoints) const;
  const float* parameter(graph::ValueId id) const;
  size_t slot(graph::ValueId id) const;

  const AffineRegion& region_;
  AffineSlots slots_;
  std::vector<double> mean_;
  std::vector<Point> points_;
  AffineMap map_;
};

}  // namespace kinglet::train
