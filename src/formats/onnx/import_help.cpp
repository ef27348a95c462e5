#include "formats/onnx/import_help.h"

#include <fmt/format.h>

namespace kinglet::formats::onnx {

int bounded(const Source& source, int64_t n, int64_t low, const char* what) {
  if (n < low || n > kMaxSide) throw Error(source.where, fmt::format("has a {} of {}", what, n), "the file is damaged");
  return static_cast<int>(n);
}

std::array<int, 2> pair(const Source& source, const char* name) {
  const auto list = source.integers(name);
  if (list.empty()) return {1, 1};
  if (list.size() != 2) throw Error(source.where, fmt::format("has {} {} where 2 were expected", list.size(), name));
  return {bounded(source, list[0], 1, name), bounded(source, list[1], 1, name)};
}

int axis_of(const Source& source, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) throw Error(source.where, fmt::format("names axis {} of {}", axis, rank), "the file is damaged");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

graph::ValueId vector_constant(Importer& importer, const Source& source, int i, bool trainable) {
  const Entry& entry = importer.float_constant(source, i);
  if (entry.tensor->shape().rank() != 1) throw Unknown{fmt::format("input {} has {} dimensions where 1 was expected", i, entry.tensor->shape().rank())};
  return importer.constant(source, i, unchanged, {}, {0}, trainable);
}

std::vector<int64_t> axes_of(Importer& importer, const Source& source) {
  return source.has_input(1) ? importer.integer_constant(source, 1) : source.integers("axes");
}

Tensor unchanged(const Tensor& t, const std::vector<int64_t>&) { return t; }

void elementwise(Importer& importer, const Source& source, graph::OpKind op, graph::Attrs attrs) {
  const Entry entry = importer.input(source, 0);
  if (entry.tensor) throw Unknown{"its input is a constant"};
  Entry result = importer.emit(source, op, std::move(attrs), {entry.id}, entry.order);
  result.unflattened = entry.unflattened;
  importer.define(source, 0, std::move(result));
}

}  // namespace kinglet::formats::onnx
