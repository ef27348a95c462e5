// Tensors of the file become Values when an operator first reads or makes them: types, quantization, constant data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/progress.h"
#include "formats/tflite/file.h"
#include "graph/graph.h"

namespace kinglet::formats::tflite {

class Tensors {
 public:
  Tensors(File& file, graph::Graph& graph);

  /// The tensor itself; throws Error opened by `user` ("m.tflite: operator 3 (CONV_2D)") when there is none of this index.
  const fb::Tensor& at(int32_t index, const std::string& user) const;
  /// "tensor 5 'conv/bias'"
  std::string label(int32_t index) const;
  /// That of the value once it is read or made, else the declared one with -1 in dimension 0 made 1. Throws for other negative ones, more than six or 2^31 elements.
  Shape shape(int32_t index) const;
  /// The signature leaves more open than the number of pictures: the declared shape says nothing.
  bool has_placeholder_shape(int32_t index) const;
  DType dtype(int32_t index) const;
  bool has_data(int32_t index) const;
  bool is_quantized_per_channel(int32_t index) const;
  /// The elements of an int32 or int64 constant, nothing if the tensor is no constant. Throws beyond 64 elements.
  std::optional<std::vector<int64_t>> integers(int32_t index, const std::string& user) const;

  /// A value that `user` makes. Throws if something else has made it or it holds data.
  graph::ValueId define(int32_t index, const std::string& user);
  /// A value that `user` reads: made before, or a constant. Throws otherwise.
  graph::ValueId use(int32_t index, const std::string& user);
  /// The value of a tensor already read or made, kNone if neither.
  graph::ValueId known(int32_t index) const { return values_.at(static_cast<size_t>(index)); }

  /// Says once what was mended on the way.
  void report(const WarningCallback& warn) const;

 private:
  std::string where(int32_t index) const { return file_.where() + ": " + label(index); }
  graph::ValueId add(int32_t index, bool is_constant);
  std::string value_name(int32_t index);
  graph::QuantParams quantization(int32_t index, DType dtype, const Shape& shape);
  int quantized_axis(int32_t index, const fb::QuantizationParameters& quant, const Shape& shape);
  Tensor constant(int32_t index, DType dtype, const Shape& shape);

  File& file_;
  graph::Graph& graph_;
  std::vector<graph::ValueId> values_;              ///< by tensor index
  std::unordered_map<std::string, int> names_;      ///< how often a name was wished for
  std::unordered_map<uint64_t, Tensor> constants_;  ///< by buffer and dtype: tensors may share a buffer
  int mended_axes_ = 0;
  std::string first_mended_;
};

}  // namespace kinglet::formats::tflite
