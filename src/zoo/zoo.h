// The architectures that Kinglet can build from a line of text. A build is the TRAINING graph: BatchNorm nodes and all
// re-parameterisable branches present, weights drawn from the seed.
//
// Names of parameters: where torchvision has the architecture (mobilenet_v2, mobilenet_v3_small, mnasnet_b1, squeezenet) a
// value is called as in its state dictionary ("features.1.conv.0.0.weight"); where timm has it (mnasnet_a1,
// efficientnet_lite0) as in timm's; elsewhere LAYER.weight, LAYER.bias, LAYER.running_mean, LAYER.running_var in our own words.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/model.h"

namespace kinglet::zoo {

/// "name@width,HxWxC,classes,key=value,...", the width left out where the architecture has none.
struct Spec {
  std::string text;  ///< as given, for messages and provenance
  std::string arch;
  double width = 1.0;
  bool width_given = false;
  int height = 0, width_px = 0, channels = 0, classes = 0;
  std::map<std::string, std::string> options;
};

/// One row of zoo.def: an architecture, with the counts of an example.
struct Row {
  std::string name, example;
  int64_t params, macs;   ///< of the deployed graph
  int64_t train_params;   ///< of the training graph with running statistics; 0: not published
};

const std::vector<Row>& rows();
/// Further sizes of these architectures whose counts are known: the models of the published tables.
const std::vector<Row>& sizes();

/// Throws a usage Error that quotes the text, with a suggestion for a misspelt name or option.
Spec parse_spec(const std::string& text);

/// `spec` is such a text or the path of a network file (network_file.h). The initialized training Model: Graph (input "input", output the softmax), input contract, labels left empty.
/// Weights: normal with deviation sqrt(2 / fan_in) (He et al. 2015, section 2.2), drawn from (seed, 0, parameter, init).
graph::Model build(const std::string& spec, uint64_t seed);

/// In place of a seed: weights stay 0, for a graph that gets them from a file. Drawing millions takes longer than reading them.
inline constexpr uint64_t kUndrawn = ~uint64_t{0};

}  // namespace kinglet::zoo
