// Every pass, Graph -> Graph in place, one file each. All keep the network's function (float: up to rounding, folded in
// double); none looks at batch statistics, so none is for a graph that is still being trained with BatchNorm.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace kinglet::passes {

/// What a pass did, filled by the pass itself.
struct PassLog {
  int changes = 0;
  std::vector<std::string> notes;  ///< why something was left alone that a reader would expect to change
};

/// BatchNorm into the convolution or fully connected layer before it, when it is its only user.
///     x -> conv2d(w, b) -> batch_norm -> y      =>      x -> conv2d(w', b') -> y
void fold_batch_norm(graph::Graph& graph, PassLog& log);

/// A linear region between one value and one sum (Conv2d, DepthwiseConv2d, BatchNorm, Add) into one convolution.
///         +-> conv3x3 -> bn -+
///     x --+-> conv1x1 -> bn -+-> add -> y       =>      x -> conv3x3(w', b') -> y
///         +-> bn ------------+
/// Exact at borders, or left alone with a note. Never raises the multiply-accumulates. (RepVGG: Ding et al. 2021, section 3.3)
void fold_linear_branches(graph::Graph& graph, PassLog& log);

/// BatchNorm that has nothing to fold into.
///     relu -> batch_norm -> y                   =>      relu -> depthwise_conv2d 1x1(w', b') -> y   (rank 2: mul, add)
void lower_batch_norm(graph::Graph& graph, PassLog& log);

/// Relu or Relu6 into the operator before it, when it is its only user. Float values only: in integers the two scales differ.
///     conv2d -> relu6 -> y                      =>      conv2d activation=relu6 -> y
void fuse_activation(graph::Graph& graph, PassLog& log);

/// Spatial padding into the explicit padding of the VALID convolution that alone reads it.
///     pad h,w -> conv2d padding=valid -> y      =>      conv2d padding=explicit -> y
void fuse_pad(graph::Graph& graph, PassLog& log);

/// Dropout does nothing at inference.
void remove_dropout(graph::Graph& graph, PassLog& log);

/// Nodes that give back their input: reshape to the same shape, padding by nothing, a 1x1 pool, quantize to the same grid.
void remove_identity(graph::Graph& graph, PassLog& log);

/// Reshape, Quantize and Dequantize of constants become constants.
void fold_constants(graph::Graph& graph, PassLog& log);

/// Operators of older models that work in uint8, with asymmetric uint8 weights, to int8: every value 128 lower, weights keep
/// their zero point, nodes carry NodeRule::legacy_u8. Model inputs and outputs stay uint8.
///     x u8 -> conv2d(w u8) -> y u8              =>      x u8 -> quantize -> conv2d(w s8) rule=legacy_u8 -> quantize -> y u8
void convert_legacy_uint8(graph::Graph& graph, PassLog& log);

/// Nodes and values that no output needs.
void remove_unused(graph::Graph& graph, PassLog& log);

}  // namespace kinglet::passes
