// A file of tensors without a network made into a Model: by the network that Kinglet wrote into it, or by an architecture's name.
#pragma once

#include <string>

#include "formats/state_dict.h"
#include "graph/model.h"

namespace kinglet::load {

/// `arch` is zoo text ("mobilenet_v2@1.0,224x224x3,1000"), or a bare name ("mobilenet_v2"): then input size and width are those of the
/// architecture's example, classes and channels those of the file's tensors. Empty: the file must be one of Kinglet's own.
/// Throws Error naming tensors that do not fit, or what to say with --arch.
graph::Model state_model(const formats::StateDict& state, const std::string& arch);

}  // namespace kinglet::load
