// From integers back to floats: a quantized Model as a float one with the same function up to rounding, which fine-tuning
// and quantizing anew start from.
#pragma once

#include "graph/model.h"

namespace kinglet::quantize {

/// scale * (q - zero point) of an integer tensor; per channel where the parameters are.
Tensor dequantize_tensor(const Tensor& tensor, const graph::QuantParams& quant);
/// The int8 tensor nearest to a float one, per tensor.
Tensor quantize_tensor(const Tensor& tensor, const graph::QuantParams& quant);

/// int8 (or legacy uint8) weights, biases and activations become float32; Quantize and Dequantize nodes go. Saturation of
/// the integers is lost: a value may leave the range that its int8 form had. Labels, contract and names stay; provenance
/// gets "dequantized". Throws Error for a model that is not quantized or has an integer value without a scale.
graph::Model dequantize_model(const graph::Model& model);

}  // namespace kinglet::quantize
