#include "formats/tflite/reshape.h"

namespace kinglet::formats::tflite {

namespace {

/// `dims` with its one -1 solved for the elements of x; nothing if that cannot be.
std::optional<Shape> solved(std::vector<int64_t> dims, const Shape& x) {
  if (dims.size() > Shape::kMaxRank) return std::nullopt;
  int64_t known = 1, *open = nullptr;
  for (int64_t& dim : dims) {
    if (dim == -1 && !open) open = &dim;
    else if (dim < 1 || __builtin_mul_overflow(known, dim, &known)) return std::nullopt;
  }
  const int64_t rest = x.elements() / known;
  if (rest * known != x.elements() || (!open && rest != 1)) return std::nullopt;
  if (open) *open = rest;
  return Shape(dims);
}

}  // namespace

std::optional<Shape> asked_shape(const Operator& source, const Tensors& tensors, const Shape& x) {
  if (source.code == fb::BuiltinOperator::RESHAPE) {
    const auto operand = source.inputs.size() > 1 && source.inputs[1] >= 0 ? tensors.integers(source.inputs[1], source.where) : std::nullopt;
    if (auto shape = operand ? solved(*operand, x) : std::nullopt) return shape;
    const auto* o = source.op.builtin_options_as<fb::ReshapeOptions>();
    if (auto shape = o && o->new_shape() && o->new_shape()->size() <= Shape::kMaxRank ? solved({o->new_shape()->begin(), o->new_shape()->end()}, x) : std::nullopt) return shape;
  }
  const auto* signature = tensors.at(source.outputs[0], source.where).shape_signature();
  if (!signature || signature->size() == 0 || signature->size() > Shape::kMaxRank) return std::nullopt;
  std::vector<int64_t> dims(signature->begin(), signature->end());
  dims[0] = x[0];
  return solved(std::move(dims), x);
}

}  // namespace kinglet::formats::tflite
