// Runs a Graph as torch operators. Every tensor is kept in Kinglet's own NHWC order; convolutions and pools see it through a
// permuted view, which is torch's channels-last layout, so nothing is copied.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "graph/graph.h"
#include "train/affine_region.h"
#include "train/parameters.h"

namespace kinglet::train {

enum class Mode : uint8_t { train, eval };

/// Keys of dropout's draws: one stream a picture and node.
struct DropoutKey {
  uint64_t seed = 0, epoch = 0;
  const std::vector<int64_t>* pictures = nullptr;
};

/// Where the tensors are. With `copies` they are copies of Parameters, else they look into them.
struct Placement {
  at::Device device = at::kCPU;
  bool copies = false;
};

class Lowering {
 public:
  /// The graph and the parameters must outlive it. Our own kernels (fused affine regions, BatchNorms, the gradient of depthwise
  /// weights) run on the CPU without copies only; without them every node is torch's.
  Lowering(const graph::Graph& graph, Parameters& parameters, bool own_kernels, Placement placement = {});

  /// Parameters and statistics to the device; nothing to do where the tensors look into them.
  void send_parameters() const;
  /// Running statistics back from the device.
  void fetch_statistics();

  /// `x` for the graph's one input -> value `wanted`, all in NHWC.
  at::Tensor run(const at::Tensor& x, graph::ValueId wanted, Mode mode, const DropoutKey& dropout) const;

  /// One leaf a parameter used outside regions, with its slot; the last leaf is the anchor of the regions.
  const std::vector<at::Tensor>& leaves() const { return leaves_; }
  const std::vector<const ParameterSlot*>& leaf_slots() const { return leaf_slots_; }

 private:
  struct Region {
    AffineRegion region;
    AffineSlots slots;
    std::vector<float*> gradients;  ///< as region.parameters; null where not trainable
  };
  struct Step {
    graph::NodeIndex node = graph::kNone;
    graph::ValueId out = graph::kNone;
    int region = -1;
    bool own_norm = false;                                       ///< a BatchNorm that trains with our own kernel
    graph::Activation activation = graph::Activation::none;      ///< of the Relu or Relu6 that alone reads it: `out` is behind that
  };
  void make_tensors();
  void make_regions(std::vector<AffineRegion> regions);
  void make_steps();
  void join_activations();
  at::Tensor run_node(const graph::Node& node, const std::vector<at::Tensor>& values, Mode mode, const DropoutKey& dropout) const;
  at::Tensor run_norm(const graph::Node& node, graph::Activation activation, const std::vector<at::Tensor>& values) const;
  at::Tensor run_region(const Region& region, const at::Tensor& z, Mode mode) const;
  float* constant_data(graph::ValueId id) const;

  const graph::Graph& graph_;
  Parameters& parameters_;
  Placement placement_;
  bool own_kernels_;
  std::vector<at::Tensor> constants_;  ///< by value; undefined for activations
  struct Copy {
    at::Tensor host, device;
    bool statistic;
  };
  std::vector<Copy> copies_;
  std::vector<Region> regions_;
  std::vector<Step> steps_;
  std::vector<at::Tensor> leaves_;
  std::vector<const ParameterSlot*> leaf_slots_;
  at::Tensor anchor_;
};

}  // namespace kinglet::train
