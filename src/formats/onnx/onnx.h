// ONNX files (opset 7 and later in, 13 out) <-> Model. The only folder that sees protobuf. ONNX is NCHW and Kinglet NHWC:
// the order of a tensor's axes is book-keeping here and weights are permuted, so no Transpose comes to be in either direction.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats::onnx {

/// True if the bytes begin like an ONNX model (the format has no identifier): an IR version, then a field a model has.
bool is_onnx(std::span<const std::byte> bytes);

/// Reads a model. A picture input N x C x H x W becomes N x H x W x C; one that the file itself transposes to NCHW first stays
/// as it is. Operators of ops.def become nodes of that kind (HardSigmoid with what Kinglet has); others become opaque nodes whose `detail` says why, if the file
/// states the shape of what they make. QuantizeLinear and DequantizeLinear around an operator become int8 arithmetic where all
/// of its operands are int8 (weights symmetric). uint8 becomes int8 with zero points moved by 128; only inputs and outputs of the model
/// stay uint8. Relu and Clip(0, 6) are fused into the operator before them.
/// The input contract comes from the metadata 'kinglet.contract', else it is inferred or assumed; labels from 'kinglet.labels'.
/// Throws Error (bad_input) naming file and node; never returns part of a model.
graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn = {});

/// Writes opset 13: float32 as it is, int8 as float operators between DequantizeLinear and QuantizeLinear. An engine that runs
/// the latter requantizes in float and may differ from Kinglet by a step. A Transpose is written only where a Reshape or a mean
/// depends on the order of the axes and no fully connected layer follows to take the permutation into its weights.
/// `surplus_transposes` gets the number of those, beside the model's own.
/// Throws Error naming the node for what the format cannot say.
std::vector<std::byte> export_model(const graph::Model& model, int* surplus_transposes = nullptr);

}  // namespace kinglet::formats::onnx
