// Operators that move elements or axes.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::ValueId;

namespace {

/// The order of what remains when the ONNX axes that `gone` marks have been dropped.
Order without(const Order& order, const std::vector<bool>& gone) {
  Order left;
  for (int axis : order)
    if (!gone[static_cast<size_t>(axis)]) left.push_back(axis - static_cast<int>(std::count(gone.begin(), gone.begin() + axis, true)));
  return left;
}

/// A tensor of the same elements in the file's sequence.
void reshape_to(Importer& importer, const Source& source, const Entry& input, const Shape& target) {
  Entry entry = importer.settled(source, input);
  const Shape from = importer.onnx_shape(entry);
  if (target.rank() < 2 || target[0] != 1) throw Unknown{"a new shape of " + target.str() + " mixes the pictures of a batch"};
  const bool plain = same_sequence(from, entry.order, identity(from.rank()));
  const bool flattens = target.rank() == 2 && entry.order == kNhwc;
  if (!plain && !flattens) {
    entry.id = importer.plain(source, entry);
    entry.order = identity(from.rank());
  }
  const bool picture = target.rank() == 4 && same_sequence(target, kNhwc, identity(4));
  const Order order = picture ? kNhwc : identity(target.rank());
  const Shape ours = permuted(target, order);
  const auto& value = importer.graph().value(entry.id);
  if (entry.order != order && target.rank() == 4 && ours == value.shape) {  // one channel changes its place: a Transpose by another name
    entry.order = order;
    return importer.define(source, 0, std::move(entry));
  }
  const std::vector<int64_t> rest(ours.dims().begin() + 1, ours.dims().end());
  Entry result = importer.emit(source, OpKind::Reshape, graph::ReshapeAttrs{rest}, {entry.id}, order, value.dtype, value.quant);
  if (!plain && flattens) result.unflattened = Shape{from[1], from[2], from[3]};
  importer.define(source, 0, std::move(result));
}

Entry reshape_input(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  if (entry.tensor) throw Unknown{"its input is a constant"};
  return entry;
}

}  // namespace

void reduce_mean(Importer& importer, const Source& source) {
  const Entry entry = importer.settled(source, importer.input(source, 0));
  if (entry.tensor) throw Unknown{"its input is a constant"};
  const int rank = static_cast<int>(entry.order.size());
  std::vector<bool> gone(static_cast<size_t>(rank), false);
  for (int64_t axis : axes_of(importer, source)) gone[static_cast<size_t>(axis_of(source, axis, rank))] = true;
  if (rank == 0 || gone[0] || std::none_of(gone.begin(), gone.end(), [](bool g) { return g; })) throw Unknown{"a mean over the pictures of a batch"};
  graph::MeanAttrs attrs;
  attrs.keep_dims = source.integer("keepdims", 1) != 0;
  for (int i = 0; i < rank; ++i)
    if (gone[static_cast<size_t>(entry.order[static_cast<size_t>(i)])]) attrs.axes.push_back(i);
  const Order order = attrs.keep_dims ? entry.order : without(entry.order, gone);
  importer.define(source, 0, importer.emit(source, OpKind::Mean, attrs, {entry.id}, order));
}

void flatten(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  if (from.rank() < 1 || axis_of(source, source.integer("axis", 1), from.rank()) != 1) throw Unknown{"flattens along another axis than 1"};
  reshape_to(importer, source, entry, Shape{from[0], from.elements()});
}

void reshape(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  auto dims = importer.integer_constant(source, 1);
  int64_t known = 1;
  int64_t* open = nullptr;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && static_cast<int>(i) < from.rank()) dims[i] = from[static_cast<int>(i)];
    if (dims[i] == -1 && !open) {
      open = &dims[i];
      continue;
    }
    if (dims[i] < 1 || dims[i] > (int64_t{1} << 31)) throw Error(source.where, fmt::format("asks for a dimension of {}", dims[i]), "the file is damaged");
    if (known > (int64_t{1} << 31)) throw Error(source.where, "asks for an impossibly large shape", "the file is damaged");
    known *= dims[i];
  }
  if (open) *open = from.elements() / known;
  reshape_to(importer, source, entry, Shape(dims));
}

void squeeze(Importer& importer, const Source& source) {
  const Entry entry = reshape_input(importer, source);
  const Shape from = importer.onnx_shape(entry);
  std::vector<bool> gone(static_cast<size_t>(from.rank()), false);
  const auto axes = axes_of(importer, source);
  for (int64_t axis : axes) gone[static_cast<size_t>(axis_of(source, axis, from.rank()))] = true;
  for (int i = 1; axes.empty() && i < from.rank(); ++i) gone[static_cast<size_t>(i)] = from[i] == 1;
  // Pictures that the file fixes at one are squeezed away too: only at the end, where no operator counts axes any more, is that the same.
  if (axes.empty() && !importer.batch_is_free() && importer.is_read_by_nodes(source.node.output(0))) throw Unknown{"squeezes axes that it does not name"};
  std::vector<int64_t> dims;
  for (int i = 0; i < from.rank(); ++i)
    if (!gone[static_cast<size_t>(i)]) dims.push_back(from[i]);
    else if (from[i] != 1 || i == 0) throw Unknown{fmt::format("squeezes axis {} of {}", i, from.str())};
  reshape_to(importer, source, entry, Shape(dims));
}

void unsqueeze(Importer& importer, const Source& source) {
  const auto axes = axes_of(importer, source);
  if (importer.input(source, 0).tensor) return unsqueeze_constant(importer, source, axes);
  const Entry entry = importer.input(source, 0);
  const Shape from = importer.onnx_shape(entry);
  const int rank = from.rank() + static_cast<int>(axes.size());
  if (rank > Shape::kMaxRank) throw Unknown{fmt::format("makes {} dimensions", rank)};
  std::vector<int64_t> dims(static_cast<size_t>(rank), 0);
  for (int64_t axis : axes) dims[static_cast<size_t>(axis_of(source, axis, rank))] = 1;
  int next = 0;
  for (int64_t& dim : dims)
    if (dim == 0 && next < from.rank()) dim = from[next++];
  if (next != from.rank() || dims[0] != from[0]) throw Unknown{"axes that it names twice"};
  reshape_to(importer, source, entry, Shape(dims));
}

/// No node: only the book-keeping of axes changes.
void transpose(Importer& importer, const Source& source) {
  Entry entry = importer.input(source, 0);
  const int rank = entry.tensor ? entry.tensor->shape().rank() : static_cast<int>(entry.order.size());
  Order perm = identity(rank);
  std::reverse(perm.begin(), perm.end());
  if (const auto list = source.integers("perm"); !list.empty()) {
    if (static_cast<int>(list.size()) != rank) throw Error(source.where, fmt::format("permutes {} axes of {}", list.size(), rank), "the file is damaged");
    for (size_t i = 0; i < list.size(); ++i) perm[i] = axis_of(source, list[i], rank);
  }
  Order sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != identity(rank)) throw Error(source.where, "names an axis twice", "the file is damaged");
  if (entry.tensor) {
    importer.file().spend(entry.tensor->size_bytes());
    entry.tensor = permuted(*entry.tensor, perm);
    if (entry.quant.axis >= 0) entry.quant.axis = inverse(perm)[static_cast<size_t>(entry.quant.axis)];
    entry.source += "/transposed";
  } else {
    entry = importer.settled(source, entry);
    if (rank > 0 && perm[0] != 0) throw Unknown{"it moves the dimension of pictures"};
    const Order back = inverse(perm);
    for (int& axis : entry.order) axis = back[static_cast<size_t>(axis)];
  }
  importer.define(source, 0, std::move(entry));
}

}  // namespace kinglet::formats::onnx
