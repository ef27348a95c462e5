// Quantization-aware training: FakeQuantize nodes with fixed scales in a float graph, and back from them to int8.
#pragma once

#include <functional>

#include "graph/model.h"
#include "quantize/quantize.h"

namespace kinglet::quantize {

/// A copy of `float_graph` with FakeQuantize (float to float) on the weights and the output of each node that `which` picks
/// and, if asked, on the input; scales are those of `int8_graph`, its twin by ValueId. Outputs whose scale their operator
/// shares get none but for averages, nor does a softmax.
///     x, w -> conv2d -> y        =>        x, fake_quantize(w) -> conv2d -> fake_quantize -> y
graph::Graph insert_fake_quantize(const graph::Graph& float_graph, const graph::Graph& int8_graph, const std::function<bool(graph::NodeIndex)>& which,
                                  bool on_input);

/// Folds and calibrates `float_model` and puts FakeQuantize everywhere: the graph to fine-tune, without BatchNorm. Its
/// weights are trainable constants read through FakeQuantize. Provenance gets "prepare_qat". Errors as post_training.
graph::Model prepare_qat(const graph::Model& float_model, const data::Dataset& calibration, const Options& options = {}, const ProgressCallback& progress = {});

/// The int8 Model of a graph made by prepare_qat (and trained since): FakeQuantize nodes go, their scales stay.
/// Throws Error naming a value that lacks a scale.
graph::Model convert_qat(const graph::Model& qat_model, Io io = Io::int8);

}  // namespace kinglet::quantize
