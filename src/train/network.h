// A Graph run by libtorch behind a pointer: the rest of train/ is compiled without a header of torch. Parameters and their
// gradients are the flat arrays of Parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/tensor.h"
#include "graph/graph.h"
#include "train/parameters.h"

namespace kinglet::train {

struct Batch {
  Tensor input;    ///< N x H x W x C float32
  Tensor targets;  ///< N x classes float32, rows sum to 1
  Tensor teacher_logits;  ///< N x classes float32, or empty
  uint64_t seed = 0, epoch = 0;
  std::vector<int64_t> pictures;  ///< numbers of the pictures, keys of dropout's draws
};

/// `input` with its pictures numbered from 0, picture i of class i % classes.
Batch cycling_batch(Tensor input, int classes);

struct LossOptions {
  double distill_weight = 0;       ///< share of the teacher's term (Hinton et al. 2015, with the factor T^2)
  double distill_temperature = 1;
};

struct StepResult {
  double loss = 0;     ///< mean over the batch
  int64_t correct = 0; ///< pictures whose largest logit is their largest target
};

/// Where torch computes. Parameters live in this process's memory in any case; off the CPU they are copied there for each step and
/// their gradients back. `copies` does that on the CPU: the same path without a GPU, for tests.
enum class Device : uint8_t { cpu, cuda, copies };

/// "cpu", "cuda" or "auto" (cuda where torch sees one). Throws Error (missing_dependency) for cuda where there is none.
Device choose_device(const std::string& word);

class Network {
 public:
  enum class Kernels : uint8_t { own, torch };
  /// Throws Error naming the first node that cannot be trained. Kernels::torch runs every node by itself and as torch does, as all but Device::cpu do.
  explicit Network(const graph::Graph& graph, Kernels kernels = Kernels::own, Device device = Device::cpu);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  Parameters& parameters();
  /// One forward pass with batch statistics (running ones are updated) and one backward pass; fills
  /// parameters().gradients with the gradient of the mean loss.
  StepResult train_step(const Batch& batch, const LossOptions& options = {});
  /// What goes into the final softmax, or the graph's output when there is none; running statistics, no dropout.
  Tensor logits(const Tensor& input);
  /// The graph's first output.
  Tensor run(const Tensor& input);
  int classes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Number of threads torch computes with, from now on.
void set_torch_threads(int threads);

}  // namespace kinglet::train
