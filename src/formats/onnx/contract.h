// The input contract and the labels in an ONNX file's metadata_props.
#pragma once

#include <string>

#include "base/progress.h"
#include "formats/onnx/file.h"
#include "graph/model.h"

namespace kinglet::formats::onnx {

inline constexpr const char* kContractKey = "kinglet.contract";
inline constexpr const char* kLabelsKey = "kinglet.labels";

/// Fills name, input, labels and provenance of a model whose graph is read already.
void read_contract(const File& file, graph::Model& model, const WarningCallback& warn);
/// Adds both entries.
void write_contract(const graph::Model& model, pb::ModelProto& proto);

}  // namespace kinglet::formats::onnx
