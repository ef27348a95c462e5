// Operators that join, cut and enlarge.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"
#include "ops/geometry.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::ValueId;

namespace {

/// Our axis that holds the file's axis.
int our_axis(const Entry& entry, int axis) { return inverse(entry.order)[static_cast<size_t>(axis)]; }

/// A value that is cut along some axes, in our order of axes.
struct Cut {
  Entry x;
  graph::StridedSliceAttrs attrs;
};

Cut whole(Importer& importer, const Source& source) {
  Cut cut{importer.settled(source, importer.input(source, 0)), {}};
  if (cut.x.tensor) throw Unknown{"its input is a constant"};
  const Shape& shape = importer.graph().value(cut.x.id).shape;
  for (int64_t dim : shape.dims()) {
    cut.attrs.begin.push_back(0);
    cut.attrs.end.push_back(bounded(source, dim, 1, "dimension"));
    cut.attrs.stride.push_back(1);
  }
  return cut;
}

Entry emit_cut(Importer& importer, const Source& source, const Cut& cut, const std::string& name) {
  const auto& value = importer.graph().value(cut.x.id);
  return importer.emit(source, OpKind::StridedSlice, cut.attrs, {cut.x.id}, cut.x.order, value.dtype, value.quant, name);
}

/// An attribute in the first operator sets, then input 1, behind a region of interest input 2.
std::vector<float> resize_scales(Importer& importer, const Source& source, bool old) {
  if (const auto* list = source.attribute("scales")) return {list->floats().begin(), list->floats().end()};
  const Entry& scales = importer.float_constant(source, old ? 1 : 2);
  if (scales.tensor->dtype() != DType::f32 || scales.tensor->elements() != 4) throw Unknown{"scales that are not 4 numbers"};
  return {scales.tensor->data<float>().begin(), scales.tensor->data<float>().end()};
}

bool same_table(int in, int out, const graph::ResizeNearestAttrs& attrs, const std::vector<int32_t>& wanted) {
  return ops::nearest_sources(in, out, attrs.align_corners, attrs.half_pixel) == wanted;
}

}  // namespace

std::vector<int32_t> resize_sources(int in, int out, const std::string& coordinates, const std::string& rounding, float scale) {
  std::vector<int32_t> sources;
  for (int i = 0; i < out; ++i) {
    const auto back = [&](float x) { return scale > 0 ? double{x / scale} : double{x} * in / out; };
    double at = back(static_cast<float>(i));
    if (coordinates == "half_pixel" || (coordinates == "pytorch_half_pixel" && out > 1)) at = back(static_cast<float>(i) + 0.5f) - 0.5;
    else if (coordinates == "tf_half_pixel_for_nn") at = back(static_cast<float>(i) + 0.5f);
    else if (coordinates == "pytorch_half_pixel") at = 0;
    else if (coordinates == "align_corners") at = out > 1 ? double(i) * (in - 1) / (out - 1) : 0;
    const double down = std::floor(at), up = std::ceil(at);
    double nearest = rounding == "floor" ? down : rounding == "ceil" ? up : at - down < up - at ? down : up;
    if (rounding == "round_prefer_floor" && at - down == up - at) nearest = down;
    sources.push_back(std::clamp(static_cast<int32_t>(nearest), 0, in - 1));
  }
  return sources;
}

void concat(Importer& importer, const Source& source) {
  bool constants = source.node.input_size() > 0;
  for (int i = 0; i < source.node.input_size(); ++i) constants = constants && importer.input(source, i).tensor.has_value();
  if (constants) return join_constants(importer, source);
  std::vector<ValueId> inputs;
  const Entry first = importer.settled(source, importer.input(source, 0));
  for (int i = 0; i < source.node.input_size(); ++i) {
    const Entry& entry = importer.input(source, i);
    if (entry.tensor) throw Unknown{"a constant among its inputs"};
    inputs.push_back(i == 0 ? first.id : importer.in_order(source, entry, first.order));
  }
  const int axis = axis_of(source, source.integer("axis", 0), static_cast<int>(first.order.size()));
  if (axis == 0) throw Unknown{"joins the pictures of a batch"};
  importer.define(source, 0, importer.emit(source, OpKind::Concatenation, graph::ConcatenationAttrs{our_axis(first, axis)}, inputs, first.order));
}

void slice(Importer& importer, const Source& source) {
  const bool in_attributes = importer.file().opset() < 10;
  auto numbers = [&](int i, const char* name) { return in_attributes ? source.integers(name) : source.has_input(i) ? importer.integer_constant(source, i) : std::vector<int64_t>(); };
  const auto starts = numbers(1, "starts"), ends = numbers(2, "ends");
  auto axes = numbers(3, "axes"), steps = in_attributes ? std::vector<int64_t>() : numbers(4, "");
  if (importer.input(source, 0).tensor) return slice_constant(importer, source, starts, ends, steps);
  Cut cut = whole(importer, source);
  const int rank = static_cast<int>(cut.x.order.size());
  for (int i = 0; axes.size() < starts.size(); ++i) axes.push_back(i);
  steps.resize(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size()) throw Error(source.where, "has lists of different lengths", "the file is damaged");
  for (size_t i = 0; i < starts.size(); ++i) {
    const int axis = axis_of(source, axes[i], rank);
    const auto ours = static_cast<size_t>(our_axis(cut.x, axis));
    const int64_t size = cut.attrs.end[ours];
    auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? std::max(at, -size) + size : at, 0, size); };
    if (steps[i] < 1) throw Unknown{fmt::format("takes elements with the step {}", steps[i])};
    if (axis == 0 && (place(starts[i]) != 0 || place(ends[i]) != size || steps[i] != 1)) throw Unknown{"cuts the pictures of a batch"};
    if (place(ends[i]) <= place(starts[i])) throw Unknown{"takes nothing"};
    cut.attrs.begin[ours] = static_cast<int>(place(starts[i]));
    cut.attrs.end[ours] = static_cast<int>(place(ends[i]));
    cut.attrs.stride[ours] = static_cast<int>(std::min<int64_t>(steps[i], kMaxSide));
  }
  importer.define(source, 0, emit_cut(importer, source, cut, {}));
}

void split(Importer& importer, const Source& source) {
  Cut cut = whole(importer, source);
  const int axis = axis_of(source, source.integer("axis", 0), static_cast<int>(cut.x.order.size()));
  if (axis == 0) throw Unknown{"cuts the pictures of a batch"};
  const auto ours = static_cast<size_t>(our_axis(cut.x, axis));
  const int64_t size = cut.attrs.end[ours], parts = source.node.output_size();
  auto sizes = source.has_input(1) ? importer.integer_constant(source, 1) : source.integers("split");
  if (sizes.empty()) sizes.assign(static_cast<size_t>(parts), (size + parts - 1) / parts);
  if (static_cast<int64_t>(sizes.size()) != parts) throw Error(source.where, fmt::format("has {} sizes for {} outputs", sizes.size(), parts), "the file is damaged");
  int64_t at = 0;
  for (int i = 0; i < parts; ++i) {
    const int64_t n = std::min(sizes[static_cast<size_t>(i)], size - at);
    if (n < 1) throw Error(source.where, "cuts off more than there is", "the file is damaged");
    cut.attrs.begin[ours] = static_cast<int>(at);
    cut.attrs.end[ours] = static_cast<int>(at += n);
    if (importer.use_count(source.node.output(i)) > 0) importer.define(source, i, emit_cut(importer, source, cut, source.node.output(i)));
  }
}

void resize(Importer& importer, const Source& source) {
  if (source.text("mode", "nearest") != "nearest") throw Unknown{"resizes by something else than nearest pixels"};
  const Entry& entry = importer.input(source, 0);
  const ValueId x = importer.in_order(source, entry, kNhwc);
  const Shape in = importer.graph().value(x).shape;
  const bool old = source.node.op_type() == "Upsample" || importer.file().opset() < 11;  // no rule of coordinates yet
  std::array<int64_t, 2> out{in[1], in[2]};
  std::array<float, 2> scale{0, 0};
  if (!old && source.has_input(3)) {
    const auto sizes = importer.integer_constant(source, 3);
    if (sizes.size() != 4 || sizes[1] != in[3]) throw Unknown{"resizes something else than height and width"};
    out = {sizes[2], sizes[3]};
  } else {
    const auto s = resize_scales(importer, source, old);
    if (s.size() != 4 || s[0] != 1 || s[1] != 1 || !(s[2] > 0 && s[2] < 1024) || !(s[3] > 0 && s[3] < 1024)) throw Unknown{"resizes something else than height and width"};
    scale = {s[2], s[3]};
    out = {static_cast<int64_t>(std::floor(static_cast<float>(in[1]) * s[2])), static_cast<int64_t>(std::floor(static_cast<float>(in[2]) * s[3]))};
  }
  graph::ResizeNearestAttrs attrs{bounded(source, out[0], 1, "height"), bounded(source, out[1], 1, "width")};
  const auto coordinates = old ? "asymmetric" : source.text("coordinate_transformation_mode", "half_pixel");
  const auto rounding = old ? "floor" : source.text("nearest_mode", "round_prefer_floor");
  if (coordinates == "tf_crop_and_resize") throw Unknown{"cuts as it resizes"};
  const int in_h = bounded(source, in[1], 1, "height"), in_w = bounded(source, in[2], 1, "width");
  const auto rows = resize_sources(in_h, attrs.out_h, coordinates, rounding, scale[0]), columns = resize_sources(in_w, attrs.out_w, coordinates, rounding, scale[1]);
  bool found = false;
  for (const auto& [corners, half] : {std::pair{false, false}, {false, true}, {true, false}}) {
    attrs.align_corners = corners, attrs.half_pixel = half;
    if ((found = same_table(in_h, attrs.out_h, attrs, rows) && same_table(in_w, attrs.out_w, attrs, columns))) break;
  }
  if (!found) throw Unknown{"nearest pixels by the rule " + coordinates + ", " + rounding};
  const auto& value = importer.graph().value(x);
  importer.define(source, 0, importer.emit(source, OpKind::ResizeNearest, attrs, {x}, kNhwc, value.dtype, value.quant));
}

void arg_max(Importer& importer, const Source& source) {
  if (source.integer("select_last_index", 0) != 0) throw Unknown{"the last of equal values"};
  const Entry entry = importer.settled(source, importer.input(source, 0));
  if (entry.tensor) throw Unknown{"its input is a constant"};
  const int rank = static_cast<int>(entry.order.size()), axis = axis_of(source, source.integer("axis", 0), rank);
  if (axis == 0) throw Unknown{"compares the pictures of a batch"};
  if (source.integer("keepdims", 1) != 0) throw Unknown{"keeps the axis it takes the index of"};
  Order order;
  for (int a : entry.order)
    if (a != axis) order.push_back(a - (a > axis));
  importer.define(source, 0, importer.emit(source, OpKind::ArgMax, graph::ArgMaxAttrs{our_axis(entry, axis), true}, {entry.id}, order, DType::s64));
}

}  // namespace kinglet::formats::onnx
