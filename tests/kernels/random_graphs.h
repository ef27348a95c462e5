// Small graphs of random shapes from a seed: one operator each, always with tails (1, 3, 17 channels; odd sizes; stride 2;
// every padding), and small networks that mix them. tests/kernels and tests/c_export run the same ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/tensor.h"
#include "graph/graph.h"

namespace kinglet::testing {

struct Case {
  std::string name;  ///< "conv2d_s8_3": operator and number
  graph::Graph graph;
};

/// KINGLET_TEST_SEED, or a fixed number; printed once.
uint64_t test_seed();

/// `per_operator` graphs of each operator and type that has a kernel.
std::vector<Case> operator_cases(uint64_t seed, int per_operator);
/// Networks with shortcuts, reshapes, in-place chances, several inputs and outputs.
std::vector<Case> network_cases(uint64_t seed, int count);

/// One random tensor per input: all values of integers, floats around the range of -4..4.
std::vector<Tensor> random_inputs(const graph::Graph& graph, RandomStream& random);

}  // namespace kinglet::testing
