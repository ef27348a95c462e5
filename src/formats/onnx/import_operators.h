// One function for each ONNX operator that Kinglet has: it adds our nodes and defines the outputs. Each throws Unknown where Kinglet has
// none, Error where the node contradicts itself.
#pragma once

#include <string>
#include <vector>

#include "formats/onnx/importer.h"

namespace kinglet::formats::onnx {

void arg_max(Importer& importer, const Source& source);
void add_or_mul(Importer& importer, const Source& source);
void batch_norm(Importer& importer, const Source& source);
void cast(Importer& importer, const Source& source);
void clip(Importer& importer, const Source& source);
void concat(Importer& importer, const Source& source);
void constant(Importer& importer, const Source& source);
void conv(Importer& importer, const Source& source);
void dequantize_linear(Importer& importer, const Source& source);
void dropout(Importer& importer, const Source& source);
void flatten(Importer& importer, const Source& source);
void gather(Importer& importer, const Source& source);
void gemm(Importer& importer, const Source& source);
void global_average_pool(Importer& importer, const Source& source);
void hard_sigmoid(Importer& importer, const Source& source);
void hard_swish(Importer& importer, const Source& source);
void identical(Importer& importer, const Source& source);
void mat_mul(Importer& importer, const Source& source);
void pad(Importer& importer, const Source& source);
void pool(Importer& importer, const Source& source);
void quantize_linear(Importer& importer, const Source& source);
void reduce_mean(Importer& importer, const Source& source);
void relu(Importer& importer, const Source& source);
void reshape(Importer& importer, const Source& source);
void resize(Importer& importer, const Source& source);
void shape_of(Importer& importer, const Source& source);
void sigmoid(Importer& importer, const Source& source);
void slice(Importer& importer, const Source& source);
void softmax(Importer& importer, const Source& source);
void split(Importer& importer, const Source& source);
void squeeze(Importer& importer, const Source& source);
void sub_or_div(Importer& importer, const Source& source);
void transpose(Importer& importer, const Source& source);
void unsqueeze(Importer& importer, const Source& source);

/// concat, slice and unsqueeze of integers that are known.
void slice_constant(Importer& importer, const Source& source, const std::vector<int64_t>& starts, const std::vector<int64_t>& ends,
                    const std::vector<int64_t>& steps);
void join_constants(Importer& importer, const Source& source);
void unsqueeze_constant(Importer& importer, const Source& source, const std::vector<int64_t>& axes);

/// The source pixel of each of `out` pixels by ONNX's rule for Resize in mode nearest (operator set 13).
/// `scale`: as the file states it; 0 where it states sizes, then it is out / in.
std::vector<int32_t> resize_sources(int in, int out, const std::string& coordinates, const std::string& rounding, float scale = 0);

}  // namespace kinglet::formats::onnx
