// The inverted residual that the MobileNet family shares, with every value named by the architecture: state dictionaries of
// other tools are mapped by name.
#pragma once

#include <string>

#include "zoo/layers.h"

namespace kinglet::zoo {

/// What stays the same in a whole network.
struct MobileStyle {
  Act activation = Act::relu6;
  bool same = false;  ///< pads as TensorFlow does; Keras's explicit padding before a stride of 2 comes to the same pixels
  float eps = 1e-5f, momentum = 0.1f;
  bool hard_gate = false;  ///< squeeze-and-excitation ends in a hard sigmoid, not a logistic

  graph::Padding around(int kernel) const { return same ? same_padding() : explicit_padding(kernel / 2); }
};

/// Value names. `expand` is not read where nothing is expanded, `reduce` and `excite` where squeeze is 0.
struct MobileNames {
  std::string block, expand, expand_norm, depthwise, depthwise_norm, reduce, excite, project, project_norm;
};

/// timm's names of a block: one that does not expand calls its projection conv_pw and counts its BatchNorms from 1 all the same.
MobileNames timm_names(const std::string& block, bool expands);

struct MobileBlock {
  int expanded, out, kernel = 3, stride = 1;
  int squeeze = 0;     ///< channels between the two 1x1 convolutions of squeeze-and-excitation; 0: none
  bool skip = true;    ///< add the input where stride is 1 and the channels agree
};

/// Activation of BatchNorm of x.
graph::ValueId norm_act(Layers& net, const MobileStyle& style, graph::ValueId x, const std::string& norm);
/// 1x1 to `expanded` (left out where x has as many), depthwise, squeeze-and-excitation, linear 1x1 to `out`.
graph::ValueId mobile_block(Layers& net, const MobileStyle& style, const MobileBlock& block, const MobileNames& names, graph::ValueId x);

}  // namespace kinglet::zoo
