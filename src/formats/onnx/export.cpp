#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx/contract.h"
#include "formats/layout.h"
#include "formats/onnx/import_operators.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/writer.h"
#include "ops/geometry.h"
#include "ops/op_info.h"
#include "ops/verify.h"

namespace kinglet::formats::onnx {

namespace {

using graph::Node;
using graph::OpKind;
using graph::Value;
using graph::ValueId;

constexpr uint64_t kMaxConstantBytes = uint64_t{1900} << 20;

bool is_bytes(DType dtype) { return dtype == DType::s8 || dtype == DType::u8; }

/// Ours to ONNX's: pictures become NCHW, everything else stays.
Order order_of(const Shape& shape) { return shape.rank() == 4 ? kNchw : identity(shape.rank()); }

/// True if NHWC and NCHW hold this picture's elements in one sequence.
bool plain(const Shape& shape) { return shape.rank() != 4 || shape[3] == 1 || (shape[1] == 1 && shape[2] == 1); }

class Exporter {
 public:
  explicit Exporter(const graph::Model& model)
      : model_(model), graph_(model.graph), writer_(model.graph), users_(model.graph.users()), floats_(model.graph.values().size()) {}

  /// Transposes that the model has not and the file needs.
  int surplus_transposes() {
    const auto& nodes = writer_.graph().node();
    return static_cast<int>(std::count_if(nodes.begin(), nodes.end(), [](const auto& node) { return node.op_type() == "Transpose"; })) - own_transposes_;
  }

  std::vector<std::byte> run() {
    check_size();
    for (ValueId v : graph_.inputs) describe_value(v, writer_.graph().add_input());
    for (const Node& node : graph_.nodes()) add_node(node);
    for (ValueId v : graph_.outputs) describe_value(v, writer_.graph().add_output());
    writer_.graph().set_name(model_.name.empty() ? "main" : model_.name);
    write_contract(model_, writer_.model());
    std::vector<std::byte> bytes(writer_.model().ByteSizeLong());
    KINGLET_CHECK(writer_.model().SerializeToArray(bytes.data(), static_cast<int>(bytes.size())));
    return bytes;
  }

 private:
  void check_size() const {
    uint64_t total = 0;
    for (const Value& value : graph_.values())
      if (value.constant) total += value.constant->size_bytes();
    if (total > kMaxConstantBytes) throw Error(model_.name, fmt::format("has {} bytes of constants; an .onnx file ends below 2 GiB", total));
  }

  void describe_value(ValueId v, pb::ValueInfoProto* info) {
    const Value& value = graph_.value(v);
    info->set_name(writer_.name(v));
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(elem_type_of(value.dtype));
    const Shape shape = permuted(value.shape, order_of(value.shape));
    for (int i = 0; i < shape.rank(); ++i) {
      auto* dim = type->mutable_shape()->add_dim();
      if (i == 0) dim->set_dim_param("N");
      else dim->set_dim_value(shape[i]);
    }
  }

  const Value& in(const Node& node, size_t i) const { return graph_.value(node.inputs[i]); }
  const Value& out(const Node& node) const { return graph_.value(node.outputs[0]); }
  static bool has_bias(const Node& node) { return node.inputs.size() > 2 && node.inputs[2] != graph::kNone; }

  /// The float side of an activation: itself, or a DequantizeLinear of it.
  std::string activation(ValueId v) {
    std::string& known = floats_[static_cast<size_t>(v)];
    if (!known.empty()) return known;
    const Value& value = graph_.value(v);
    if (!is_bytes(value.dtype)) return known = writer_.name(v);
    known = writer_.fresh_name(writer_.name(v) + "/float");
    writer_.dequantize(writer_.name(v), value.quant, value.dtype, 1, known);
    return known;
  }

  /// A constant in the file's order, dequantized if it holds integers. `axis` is the ONNX axis of its channels.
  std::string constant(ValueId v, const Tensor& tensor, int axis, const std::string& variant, graph::QuantParams quant) {
    const std::string key = fmt::format("{} {}", v, variant);
    if (auto it = constants_.find(key); it != constants_.end()) return it->second;
    const std::string integers = next_name(v, tensor);
    if (tensor.dtype() == DType::f32) return constants_[key] = integers;
    const std::string made = writer_.fresh_name(integers + "/float");
    writer_.dequantize(integers, quant, tensor.dtype(), axis, made);
    return constants_[key] = made;
  }

  /// The first variant of a constant keeps its name.
  std::string next_name(ValueId v, const Tensor& tensor) {
    if (!written_.insert(v).second) return writer_.initializer(writer_.name(v), tensor);
    auto* proto = writer_.graph().add_initializer();
    proto->set_name(writer_.name(v));
    proto->set_data_type(elem_type_of(tensor.dtype()));
    for (int64_t dim : tensor.shape().dims()) proto->add_dims(dim);
    proto->set_raw_data(tensor.bytes().data(), tensor.size_bytes());
    return proto->name();
  }

  const Tensor& weights_of(const Node& node, size_t i) const {
    if (!in(node, i).constant) ops::refuse(node, fmt::format("takes '{}' as weights, which is no constant", in(node, i).name));
    return *in(node, i).constant;
  }

  std::string weights(const Node& node, const Order& order) {
    return constant(node.inputs[1], permuted(weights_of(node, 1), order), 0, fmt::format("{}", fmt::join(order, "")), in(node, 1).quant);
  }

  /// A bias in int32 has the scale of input times weights, stated or not.
  std::string bias(const Node& node) {
    const Tensor flat = weights_of(node, 2).reshaped(Shape{weights_of(node, 2).elements()});
    graph::QuantParams quant = in(node, 2).quant;
    if (flat.dtype() == DType::s32) {
      const float scale = in(node, 0).quant.scale.at(0);
      const auto& w = in(node, 1).quant;
      quant = {};
      for (float s : w.scale) quant.scale.push_back(scale * s);
      quant.zero_point.assign(quant.scale.size(), 0);
      quant.axis = w.per_channel() ? 0 : -1;
    }
    std::string key;
    for (float s : quant.scale) key += fmt::format(" {:a}", s);
    return constant(node.inputs[2], flat, 0, "bias" + key, quant);
  }

  void add_node(const Node& node) {
    if (node.op == OpKind::Dequantize) return writer_.dequantize(writer_.name(node.inputs[0]), in(node, 0).quant, in(node, 0).dtype, 1, writer_.name(node.outputs[0]));
    const std::string target = writer_.name(node.outputs[0]);
    if (node.op == OpKind::Quantize) return writer_.quantize(activation(node.inputs[0]), out(node).quant, out(node).dtype, target);
    const bool integer = is_bytes(out(node).dtype);
    const std::string real = integer ? writer_.fresh_name(target + "/real") : target;
    const auto fused = ops::fused_activation(node);
    const std::string raw = fused == graph::Activation::none ? real : writer_.fresh_name(target + "/raw");
    add_arithmetic(node, raw);
    if (fused != graph::Activation::none) add_activation(fused, raw, real);
    if (integer) writer_.quantize(real, out(node).quant, out(node).dtype, target);
  }

  void add_activation(graph::Activation activation, const std::string& from, const std::string& to) {
    if (activation == graph::Activation::relu) writer_.node("Relu", {from}, to);
    else writer_.node("Clip", {from, number("zero", 0), number("six", 6)}, to);
  }

  /// A single number, written once.
  std::string number(const std::string& name, float value) {
    const std::string key = fmt::format("number {}", value);
    auto it = constants_.find(key);
    return it != constants_.end() ? it->second : constants_[key] = writer_.initializer(name, Tensor::scalar<float>(value));
  }

  void add_arithmetic(const Node& node, const std::string& to) {
    switch (node.op) {
      case OpKind::Conv2d:
      case OpKind::DepthwiseConv2d:
        return add_conv(node, to);
      case OpKind::FullyConnected:
        return add_fully_connected(node, to);
      case OpKind::Add:
        return add_binary(node, "Add", to);
      case OpKind::Mul:
        return add_binary(node, "Mul", to);
      case OpKind::AveragePool2d:
        return add_pool(node, "AveragePool", to);
      case OpKind::MaxPool2d:
        return add_pool(node, "MaxPool", to);
      case OpKind::Mean:
        return add_mean(node, to);
      case OpKind::Reshape:
        return add_reshape(node, to);
      case OpKind::Pad:
        return add_pad(node, to);
      case OpKind::Softmax:
        return add_softmax(node, to);
      case OpKind::Logistic:
        return void(writer_.node("Sigmoid", {activation(node.inputs[0])}, to));
      case OpKind::Relu:
        return add_activation(graph::Activation::relu, activation(node.inputs[0]), to);
      case OpKind::Relu6:
        return add_activation(graph::Activation::relu6, activation(node.inputs[0]), to);
      case OpKind::BatchNorm:
        return add_batch_norm(node, to);
      case OpKind::Dropout:
        return void(writer_.node("Dropout", {activation(node.inputs[0]), number("rate", node.as<graph::DropoutAttrs>().rate)}, to));
      case OpKind::HardSwish:
        return add_hard_swish(node, to);
      case OpKind::Transpose:
        return add_transpose(node, to);
      case OpKind::Concatenation:
        return add_concatenation(node, to);
      case OpKind::StridedSlice:
        return add_strided_slice(node, to);
      case OpKind::ResizeNearest:
        return add_resize_nearest(node, to);
      case OpKind::ArgMax:
        return add_arg_max(node, to);
      case OpKind::FakeQuantize:
      case OpKind::Opaque:
        ops::refuse(node, "cannot be written to ONNX", node.op == OpKind::FakeQuantize ? "convert the model to int8 first" : "");
      case OpKind::Quantize:
      case OpKind::Dequantize:
        break;
    }
    KINGLET_CHECK(false);
  }

  void add_conv(const Node& node, const std::string& to) {
    const bool depthwise = node.op == OpKind::DepthwiseConv2d;
    std::vector<std::string> inputs{activation(node.inputs[0]), weights(node, depthwise ? Order{3, 0, 1, 2} : kNchw)};
    if (has_bias(node)) inputs.push_back(bias(node));
    const ops::Window w = ops::node_window(graph_, node);
    auto& conv = writer_.node("Conv", inputs, to);
    set_integers(conv, "kernel_shape", {w.kernel_h, w.kernel_w});
    set_integers(conv, "strides", {w.stride_h, w.stride_w});
    set_integers(conv, "dilations", {w.dilation_h, w.dilation_w});
    set_integers(conv, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
    set_integer(conv, "group", depthwise ? in(node, 0).shape[3] : 1);
  }

  void add_pool(const Node& node, const char* op, const std::string& to) {
    const std::string x = activation(node.inputs[0]);
    const ops::Window w = ops::node_window(graph_, node);
    auto& pool = writer_.node(op, {x}, to);
    set_integers(pool, "kernel_shape", {w.kernel_h, w.kernel_w});
    set_integers(pool, "strides", {w.stride_h, w.stride_w});
    set_integers(pool, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
  }

  /// Weights whose columns follow the NCHW sequence of the picture that the input was flattened from.
  std::string dense_weights(const Node& node, const Shape& picture) {
    if (plain(picture)) return weights(node, {0, 1});
    const Tensor& w = weights_of(node, 1);
    const Shape split{w.shape()[0], picture[1], picture[2], picture[3]};
    return constant(node.inputs[1], permuted(w.reshaped(split), kNchw).reshaped(w.shape()), 0, "dense" + picture.str(), in(node, 1).quant);
  }

  void add_fully_connected(const Node& node, const std::string& to) {
    std::string x = activation(node.inputs[0]);
    Shape picture = in(node, 0).shape;
    if (auto it = flattened_.find(node.inputs[0]); it != flattened_.end()) picture = it->second;
    if (in(node, 0).shape.rank() != 2) {
      const std::string flat = writer_.fresh_name(to + "/flat");
      set_integer(writer_.node("Flatten", {x}, flat), "axis", 1);
      x = flat;
    }
    std::vector<std::string> inputs{x, dense_weights(node, picture)};
    if (has_bias(node)) inputs.push_back(bias(node));
    set_integer(writer_.node("Gemm", inputs, to), "transB", 1);
  }

  /// A constant operand gets all the axes of the result before they are put into the file's order.
  std::string operand(const Node& node, size_t i) {
    const Value& value = in(node, i);
    const Shape& result = out(node).shape;
    if (!value.constant) {
      if (value.shape.rank() != result.rank()) ops::refuse(node, "combines " + value.shape.batch_str() + " with " + result.batch_str() + ", which ONNX would do otherwise", "reshape it first");
      return activation(node.inputs[i]);
    }
    if (value.quant.per_channel()) ops::refuse(node, "has a constant that is quantized per channel");
    std::vector<int64_t> dims(static_cast<size_t>(result.rank() - value.shape.rank()), 1);
    dims.insert(dims.end(), value.shape.dims().begin(), value.shape.dims().end());
    const Shape full(dims);
    return constant(node.inputs[i], permuted(value.constant->reshaped(full), order_of(full)), 0, full.str(), value.quant);
  }

  void add_binary(const Node& node, const char* op, const std::string& to) {
    const std::string a = operand(node, 0), b = operand(node, 1);
    writer_.node(op, {a, b}, to);
  }

  std::string to_nhwc(const std::string& x, const std::string& to) {
    const std::string turned = writer_.fresh_name(to + "/nhwc");
    set_integers(writer_.node("Transpose", {x}, turned), "perm", {0, 2, 3, 1});
    return turned;
  }

  void add_mean(const Node& node, const std::string& to) {
    const auto& attrs = node.as<graph::MeanAttrs>();
    std::string x = activation(node.inputs[0]);
    const Shape& shape = in(node, 0).shape;
    if (shape.rank() == 4 && attrs.keep_dims && attrs.axes == std::vector<int>{1, 2}) return void(writer_.node("GlobalAveragePool", {x}, to));
    Order order = order_of(shape);
    const bool one_left = attrs.axes.size() >= 2;  // of C, H and W
    if (shape.rank() == 4 && !attrs.keep_dims && !one_left) x = to_nhwc(x, to), order = identity(4);
    std::vector<int64_t> axes;
    for (int axis : attrs.axes) axes.push_back(inverse(order)[static_cast<size_t>(axis)]);
    std::sort(axes.begin(), axes.end());
    auto& mean = writer_.node("ReduceMean", {x}, to);
    set_integers(mean, "axes", axes);
    set_integer(mean, "keepdims", attrs.keep_dims);
  }

  /// True if all that read v are fully connected layers, which can take a permutation into their weights.
  bool only_feeds_dense(ValueId v) const {
    const auto& users = users_[static_cast<size_t>(v)];
    return !users.empty() && !graph_.is_output(v) && std::all_of(users.begin(), users.end(), [&](graph::NodeIndex i) {
      return graph_.node(i).op == OpKind::FullyConnected && graph_.node(i).inputs[0] == v;
    });
  }

  void add_reshape(const Node& node, const std::string& to) {
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

  void add_pad(const Node& node, const std::string& to) {
    const auto& attrs = node.as<graph::PadAttrs>();
    const std::string x = activation(node.inputs[0]);
    std::vector<int64_t> pads;
    for (const auto* side : {&attrs.before, &attrs.after})
      for (int axis : order_of(in(node, 0).shape)) pads.push_back((*side)[static_cast<size_t>(axis)]);
    writer_.node("Pad", {x, writer_.integers(to + "/pads", pads)}, to);
  }

  /// x * hard_sigmoid(x): an operator of its own only since operator set 14.
  void add_hard_swish(const Node& node, const std::string& to) {
    const std::string x = activation(node.inputs[0]), gate = writer_.fresh_name(to + "/gate");
    auto& hard = writer_.node("HardSigmoid", {x}, gate);
    set_real(hard, "alpha", 1.0f / 6);
    set_real(hard, "beta", 0.5f);
    writer_.node("Mul", {x, gate}, to);
  }

  void add_transpose(const Node& node, const std::string& to) {
    const Order from = inverse(order_of(in(node, 0).shape)), target = order_of(out(node).shape);
    std::vector<int64_t> perm;
    for (int axis : target) perm.push_back(from[static_cast<size_t>(node.as<graph::TransposeAttrs>().perm[static_cast<size_t>(axis)])]);
    if (std::is_sorted(perm.begin(), perm.end())) return void(writer_.node("Identity", {activation(node.inputs[0])}, to));
    own_transposes_ += 1;
    set_integers(writer_.node("Transpose", {activation(node.inputs[0])}, to), "perm", perm);
  }

  /// The file's axis of our axis.
  int64_t file_axis(const Shape& shape, int axis) const { return inverse(order_of(shape))[static_cast<size_t>(axis)]; }

  void add_concatenation(const Node& node, const std::string& to) {
    std::vector<std::string> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(operand(node, i));
    set_integer(writer_.node("Concat", inputs, to), "axis", file_axis(out(node).shape, node.as<graph::ConcatenationAttrs>().axis));
  }

  /// Axes that go are cut to one element and squeezed, from NHWC where the order of the rest depends on it.
  void add_strided_slice(const Node& node, const std::string& to) {
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

  /// The rule of ONNX that takes the same pixels.
  void add_resize_nearest(const Node& node, const std::string& to) {
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

  void add_arg_max(const Node& node, const std::string& to) {
    const auto& attrs = node.as<graph::ArgMaxAttrs>();
    const Shape& shape = in(node, 0).shape;
    std::string x = activation(node.inputs[0]);
    const bool turn = shape.rank() == 4 && attrs.axis != 3;
    if (turn) x = to_nhwc(x, to);
    const std::string wide = attrs.wide ? to : writer_.fresh_name(to + "/wide");
    auto& made = writer_.node("ArgMax", {x}, wide);
    set_integer(made, "axis", turn ? attrs.axis : file_axis(shape, attrs.axis));
    set_integer(made, "keepdims", 0);
    if (!attrs.wide) set_integer(writer_.node("Cast", {wide}, to), "to", elem_type_of(DType::s32));
  }

  void add_softmax(const Node& node, const std::string& to) {
    std::string x = activation(node.inputs[0]);
    const float beta = node.as<graph::SoftmaxAttrs>().beta;
    if (beta != 1) {
      const std::string scaled = writer_.fresh_name(to + "/scaled");
      writer_.node("Mul", {x, number("beta", beta)}, scaled);
      x = scaled;
    }
    set_integer(writer_.node("Softmax", {x}, to), "axis", in(node, 0).shape.rank() == 4 ? 1 : -1);
  }

  void add_batch_norm(const Node& node, const std::string& to) {
    const auto& attrs = node.as<graph::BatchNormAttrs>();
    if (const int rank = in(node, 0).shape.rank(); rank != 2 && rank != 4) ops::refuse(node, fmt::format("works on {} dimensions, which ONNX would take otherwise", rank));
    std::vector<std::string> inputs{activation(node.inputs[0])};
    for (size_t i = 1; i < 5; ++i) inputs.push_back(constant(node.inputs[i], weights_of(node, i), 0, "vector", {}));
    auto& norm = writer_.node("BatchNormalization", inputs, to);
    set_real(norm, "epsilon", attrs.eps);
    set_real(norm, "momentum", 1 - attrs.momentum);
  }

  const graph::Model& model_;
  const graph::Graph& graph_;
  Writer writer_;
  std::vector<std::vector<graph::NodeIndex>> users_;
  std::vector<std::string> floats_;                         ///< by value: the name of its float side once it has one
  std::unordered_map<std::string, std::string> constants_;  ///< by value and variant
  std::unordered_set<ValueId> written_;
  int own_transposes_ = 0;  ///< those that the model itself has
  std::unordered_map<ValueId, Shape> flattened_;  ///< values in the sequence of this NCHW picture (its shape as ours)
};

}  // namespace

std::vector<std::byte> export_model(const graph::Model& model, int* surplus_transposes) {
  ops::verify(model.graph, model.name.empty() ? "model" : model.name);
  Exporter exporter(model);
  auto bytes = exporter.run();
  if (surplus_transposes) *surplus_transposes = exporter.surplus_transposes();
  return bytes;
}

}  // namespace kinglet::formats::onnx
