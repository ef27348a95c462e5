// The architectures that Kinglet can build from a line of text. A build is the TRAINING graph: BatchNorm nodes and all
// re-parameterisable branches present, weights drawn from the seed.
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
  int height = 0, width_px = 0, channels = 0, classes = 0;
  std::map<std::string, std::string> options;
};

/// One row of zoo.def.
struct Row {
  std::string name, example;
  int64_t params, macs;   ///< of the deployed graph
  int64_t train_params;   ///< of the training graph with running statistics; 0: not published
};

const std::vector<Row>& rows();

/// Throws a usage Error that quotes the text, with a suggestion for a misspelt name or option.
Spec parse_spec(const std::string& text);

/// The initialized training Model: Graph (input "input", output the softmax), input contract, labels left empty.
/// Weights: normal with deviation sqrt(2 / fan_in) (He et al. 2015, section 2.2), drawn from (seed, 0, parameter, init).
graph::Model build(const std::string& spec, uint64_t seed);

}  // namespace kinglet::zoo
