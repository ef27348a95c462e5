// An ONNX file in the making: nodes, initializers and the names they go by.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/onnx/file.h"
#include "graph/model.h"

namespace kinglet::formats::onnx {

class Writer {
 public:
  explicit Writer(const graph::Graph& graph);

  /// The name a value goes by; integers by that of the integers.
  const std::string& name(graph::ValueId v) const { return names_[static_cast<size_t>(v)]; }
  std::string fresh_name(const std::string& wish);

  /// Appends a node; `inputs` may end in empty names for absent inputs.
  pb::NodeProto& node(const char* op, const std::vector<std::string>& inputs, const std::string& output);
  /// Writes a tensor and returns the name it got.
  std::string initializer(const std::string& wish, const Tensor& tensor);
  std::string integers(const std::string& wish, const std::vector<int64_t>& values);

  /// The names of scale and zero point (empty if it is 0 and the type int32), written once per distinct pair.
  std::vector<std::string> quantization(const std::string& wish, const graph::QuantParams& quant, DType dtype);
  void quantize(const std::string& from, const graph::QuantParams& quant, DType dtype, const std::string& to);
  /// `axis` is the ONNX axis of per-channel parameters.
  void dequantize(const std::string& from, const graph::QuantParams& quant, DType dtype, int axis, const std::string& to);

  pb::ModelProto& model() { return model_; }
  pb::GraphProto& graph() { return *model_.mutable_graph(); }

 private:
  pb::ModelProto model_;
  std::vector<std::string> names_;  ///< by value
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, std::vector<std::string>> quantizations_;
};

void set_integer(pb::NodeProto& node, const char* name, int64_t value);
void set_text(pb::NodeProto& node, const char* name, const std::string& value);
void set_real(pb::NodeProto& node, const char* name, float value);
void set_integers(pb::NodeProto& node, const char* name, const std::vector<int64_t>& values);

}  // namespace kinglet::formats::onnx
