// The graph of a Keras configuration and its weights.
#pragma once

#include <string>

#include "formats/keras_h5/contents.h"
#include "graph/model.h"

namespace kinglet::formats::keras_h5 {

/// Throws Error naming the layer.
graph::Model model_from_contents(const Contents& contents, const std::string& where);

}  // namespace kinglet::formats::keras_h5
