#include <algorithm>

#include "formats/onnx/exporter.h"
#include "formats/onnx/import_operators.h"
#include "ops/geometry.h"

namespace kinglet::formats::onnx {

using graph::OpKind;

std::string Exporter::to_nhwc(const std::string& x, const std::string& to) {
  const std::string turned = writer_.fresh_name(to + "/nhwc");
  set_integers(writer_.node("Transpose", {x}, turned), "perm", {0, 2, 3, 1});
  return turned;
}

bool Exporter::only_feeds_dense(ValueId v) const {
  const auto& users = users_[static_cast<size_t>(v)];
  return !users.empty() && !graph_.is_output(v) && std::all_of(users.begin(), users.end(), [&](graph::NodeIndex i) {
    return graph_.node(i).op == OpKind::FullyConnected && graph_.node(i).inputs[0] == v;
  });
}

void Exporter::add_reshape(const Node& node, const std::string& to) {
  const Shape &from = in(node, 0).shape, &shape = out(node).shape;
  std::string x = activation(node.inputs[0]);
  const bool flattens = shape.rank() == 2 && only_feeds_dense(node.outputs[0]);
  if (!plain(from) && flattens) flattened_[node.outputs[0]] = from;
  else if (!plain(from)) x = to_nhwc(x, to);
  const bool turns = !plain(shape);
  const std::string made = turns ? writer_.fresh_name(to + "/nhwc") : to;
  const Shape target = turns ? shape : permuted(shape, order_of(shape));
  std::vector<int64_t> dims{0};  // the pictures of the batch
  dims.insert(dims.end(), target.dims().begin() + 1, target.dims().end());
  writer_.node("Reshape", {x, writer_.integers(to + "/shape", dims)}, made);
  if (turns) set_integers(writer_.node("Transpose", {made}, to), "perm", {0, 3, 1, 2});
}

void Exporter::add_pad(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::PadAttrs>();
  const std::string x = activation(node.inputs[0]);
  std::vector<int64_t> pads;
  for (const auto* side : {&attrs.before, &attrs.after})
    for (int axis : order_of(in(node, 0).shape)) pads.push_back((*side)[static_cast<size_t>(axis)]);
  writer_.node("Pad", {x, writer_.integers(to + "/pads", pads)}, to);
}

void Exporter::add_transpose(const Node& node, const std::string& to) {
  const Order from = inverse(order_of(in(node, 0).shape)), target = order_of(out(node).shape);
  std::vector<int64_t> perm;
  for (int axis : target) perm.push_back(from[static_cast<size_t>(node.as<graph::TransposeAttrs>().perm[static_cast<size_t>(axis)])]);
  if (std::is_sorted(perm.begin(), perm.end())) return void(writer_.node("Identity", {activation(node.inputs[0])}, to));
  own_transposes_ += 1;
  set_integers(writer_.node("Transpose", {activation(node.inputs[0])}, to), "perm", perm);
}

void Exporter::add_concatenation(const Node& node, const std::string& to) {
  std::vector<std::string> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(operand(node, i));
  set_integer(writer_.node("Concat", inputs, to), "axis", file_axis(out(node).shape, node.as<graph::ConcatenationAttrs>().axis));
}

void Exporter::add_strided_slice(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::StridedSliceAttrs>();
  const Shape& shape = in(node, 0).shape;
  std::string x = activation(node.inputs[0]);
  const bool turn = shape.rank() == 4 && !attrs.drop.empty();
  if (turn) x = to_nhwc(x, to);
  const Order place = turn ? identity(4) : inverse(order_of(shape));
  std::vector<int64_t> starts, ends, axes, steps;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    const auto a = static_cast<size_t>(axis);
    if (attrs.begin[a] == 0 && attrs.end[a] == shape[axis] && attrs.stride[a] == 1) continue;
    starts.push_back(attrs.begin[a]), ends.push_back(attrs.end[a]), steps.push_back(attrs.stride[a]), axes.push_back(place[a]);
  }
  const std::string cut = attrs.drop.empty() ? to : writer_.fresh_name(to + "/cut");
  if (axes.empty()) writer_.node("Identity", {x}, cut);
  else writer_.node("Slice", {x, writer_.integers(to + "/starts", starts), writer_.integers(to + "/ends", ends), writer_.integers(to + "/axes", axes), writer_.integers(to + "/steps", steps)}, cut);
  if (!attrs.drop.empty()) writer_.node("Squeeze", {cut, writer_.integers(to + "/dropped", {attrs.drop.begin(), attrs.drop.end()})}, to);
}

void Exporter::add_resize_nearest(const Node& node, const std::string& to) {
  const auto& attrs = node.as<graph::ResizeNearestAttrs>();
  const Shape& shape = in(node, 0).shape;
  const auto h = static_cast<int>(shape[1]), w = static_cast<int>(shape[2]);
  const auto rows = ops::nearest_sources(h, attrs.out_h, attrs.align_corners, attrs.half_pixel), columns = ops::nearest_sources(w, attrs.out_w, attrs.align_corners, attrs.half_pixel);
  for (const char* coordinates : {"asymmetric", "half_pixel", "align_corners"})
    for (const char* rounding : {"floor", "round_prefer_ceil", "round_prefer_floor"}) {
      if (resize_sources(h, attrs.out_h, coordinates, rounding) != rows || resize_sources(w, attrs.out_w, coordinates, rounding) != columns) continue;
      const auto sizes = writer_.integers(to + "/sizes", {1, shape[3], attrs.out_h, attrs.out_w});
      auto& resize = writer_.node("Resize", {activation(node.inputs[0]), "", "", sizes}, to);
      set_text(resize, "mode", "nearest");
      set_text(resize, "coordinate_transformation_mode", coordinates);
      return set_text(resize, "nearest_mode", rounding);
    }
  ops::refuse(node, "takes pixels by a rule that ONNX has not");
}

}  // namespace kinglet::formats::onnx
