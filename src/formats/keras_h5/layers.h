// A Keras layer's configuration made into nodes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "ops/builder.h"

namespace kinglet::formats::keras_h5 {

struct Layer {
  std::string where;  ///< "m.h5: layer conv2d (Conv2D)", opens messages
  std::string name, kind;
  const Json& config;
  const std::map<std::string, Tensor>& weights;
};

/// Appends the nodes of one layer and returns what they make. Throws Error for kinds and options Kinglet has not.
graph::ValueId add_layer(ops::GraphBuilder& builder, const Layer& layer, const std::vector<graph::ValueId>& inputs);

}  // namespace kinglet::formats::keras_h5
