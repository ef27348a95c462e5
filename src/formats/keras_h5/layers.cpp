#include "formats/keras_h5/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "formats/layout.h"
#include "formats/text.h"

namespace kinglet::formats::keras_h5 {

namespace {

using graph::OpKind;
using graph::ValueId;
using Inputs = std::vector<ValueId>;

constexpr int kMaxSide = 1 << 16;

[[noreturn]] void refuse(const Layer& layer, const std::string& what, const std::string& hint = {}) { throw Error(layer.where, what, hint); }

/// config[key] as T, `fallback` where it is absent or null.
template <class T>
T option(const Layer& layer, const char* key, T fallback) {
  const auto it = layer.config.find(key);
  return it == layer.config.end() || it->is_null() ? fallback : json_at<T>(layer.config, key, layer.where);
}

int side(const Layer& layer, const Json& json, int low) {
  if (!json.is_number_integer() || json.get<int64_t>() < low || json.get<int64_t>() > kMaxSide) refuse(layer, "has a size that is out of range");
  return json.get<int>();
}

/// Height and width of "kernel_size", "strides" and the like: one number or two.
std::array<int, 2> pair(const Layer& layer, const char* key, int fallback) {
  const auto it = layer.config.find(key);
  if (it == layer.config.end() || it->is_null()) return {fallback, fallback};
  if (it->is_array() && it->size() == 2) return {side(layer, (*it)[0], 1), side(layer, (*it)[1], 1)};
  const int both = side(layer, *it, 1);
  return {both, both};
}

graph::Padding padding(const Layer& layer) {
  const auto word = option<std::string>(layer, "padding", "valid");
  if (word == "same") return {.mode = graph::PaddingMode::same};
  if (word != "valid") refuse(layer, fmt::format("pads '{}', which is not supported", clean_text(word)));
  return {};
}

void require_channels_last(const Layer& layer) {
  if (option<std::string>(layer, "data_format", "channels_last") != "channels_last") refuse(layer, "is channels_first, which is not supported");
}

const Tensor& weight(const Layer& layer, const std::string& name, int rank) {
  const auto it = layer.weights.find(name);
  if (it == layer.weights.end()) refuse(layer, fmt::format("lacks its weight '{}'", name), "save the whole model: model.save('m.h5')");
  if (it->second.shape().rank() != rank) refuse(layer, fmt::format("has a weight '{}' of shape {}", name, it->second.shape().str()));
  return it->second;
}

ValueId parameter(ops::GraphBuilder& b, const Layer& layer, const std::string& name, Tensor tensor, bool trainable = true) {
  return b.constant(layer.name + "/" + name, std::move(tensor), trainable);
}

void add_bias(ops::GraphBuilder& b, const Layer& layer, Inputs& inputs) {
  if (option<bool>(layer, "use_bias", true)) inputs.push_back(parameter(b, layer, "bias", weight(layer, "bias", 1)));
}

ValueId one(ops::GraphBuilder& b, OpKind op, ValueId x, const std::string& name) { return b.node(op, graph::NoAttrs{}, {x}, name); }

ValueId softmax(ops::GraphBuilder& b, ValueId x, const std::string& name) { return b.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {x}, name); }

ValueId apply_activation(ops::GraphBuilder& b, const Layer& layer, ValueId x, const std::string& kind, const std::string& name) {
  if (kind == "linear") return x;
  if (kind == "relu") return one(b, OpKind::Relu, x, name);
  if (kind == "relu6") return one(b, OpKind::Relu6, x, name);
  if (kind == "sigmoid") return one(b, OpKind::Logistic, x, name);
  if (kind == "softmax") return softmax(b, x, name);
  if (kind == "hard_swish" || kind == "hard_silu") return one(b, OpKind::HardSwish, x, name);
  if (kind == "swish" || kind == "silu") return b.node(OpKind::Mul, graph::ActivationAttrs{}, {x, one(b, OpKind::Logistic, x, name + "/sigmoid")}, name);
  refuse(layer, fmt::format("has the activation '{}', which is not supported", clean_text(kind)));
}

/// The option "activation": a word, or in newer files an object that carries one.
ValueId activation(ops::GraphBuilder& b, const Layer& layer, ValueId x, bool alone) {
  const auto it = layer.config.find("activation");
  if (it == layer.config.end() || it->is_null()) return x;
  const std::string kind = it->is_string() ? it->get<std::string>() : it->is_object() && it->contains("config") && (*it)["config"].is_string() ? (*it)["config"].get<std::string>() : "?";
  return apply_activation(b, layer, x, kind, alone ? layer.name : layer.name + "/" + kind);
}

ValueId input0(const Layer& layer, const Inputs& inputs) {
  if (inputs.size() != 1) refuse(layer, fmt::format("has {} inputs where 1 was expected", inputs.size()));
  return inputs[0];
}

ValueId conv2d(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  if (option<int64_t>(layer, "groups", 1) != 1) refuse(layer, "is a grouped convolution, which is not supported");
  Inputs all{input0(layer, inputs), parameter(b, layer, "kernel", permuted(weight(layer, "kernel", 4), {3, 0, 1, 2}))};
  add_bias(b, layer, all);
  const auto stride = pair(layer, "strides", 1), dilation = pair(layer, "dilation_rate", 1);
  const graph::Conv2dAttrs attrs{stride[0], stride[1], dilation[0], dilation[1], padding(layer)};
  return activation(b, layer, b.node(OpKind::Conv2d, attrs, all, layer.name), false);
}

/// `kernel` is H x W x C x multiplier.
ValueId depthwise_node(ops::GraphBuilder& b, const Layer& layer, Inputs inputs, const std::string& kernel, const std::string& name, bool with_bias) {
  const Tensor& w = weight(layer, kernel, 4);
  inputs.push_back(parameter(b, layer, kernel, w.reshaped(Shape{1, w.shape()[0], w.shape()[1], w.shape()[2] * w.shape()[3]})));
  if (with_bias) add_bias(b, layer, inputs);
  const auto stride = pair(layer, "strides", 1), dilation = pair(layer, "dilation_rate", 1);
  graph::DepthwiseConv2dAttrs attrs{stride[0], stride[1], dilation[0], dilation[1], static_cast<int>(std::min<int64_t>(w.shape()[3], kMaxSide)), padding(layer)};
  return b.node(OpKind::DepthwiseConv2d, attrs, std::move(inputs), name);
}

ValueId depthwise_conv2d(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  const std::string kernel = layer.weights.count("kernel") ? "kernel" : "depthwise_kernel";
  return activation(b, layer, depthwise_node(b, layer, {input0(layer, inputs)}, kernel, layer.name, true), false);
}

ValueId separable_conv2d(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  const ValueId x = depthwise_node(b, layer, {input0(layer, inputs)}, "depthwise_kernel", layer.name + "/depthwise", false);
  Inputs all{x, parameter(b, layer, "pointwise_kernel", permuted(weight(layer, "pointwise_kernel", 4), {3, 0, 1, 2}))};
  add_bias(b, layer, all);
  return activation(b, layer, b.node(OpKind::Conv2d, graph::Conv2dAttrs{}, all, layer.name), false);
}

ValueId dense(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const ValueId x = input0(layer, inputs);
  if (b.value(x).shape.rank() != 2) refuse(layer, "works on the last axis of " + b.value(x).shape.batch_str() + ", which is not supported", "put a Flatten before it");
  Inputs all{x, parameter(b, layer, "kernel", permuted(weight(layer, "kernel", 2), {1, 0}))};
  add_bias(b, layer, all);
  return activation(b, layer, b.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, all, layer.name), false);
}

ValueId batch_normalization(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const ValueId x = input0(layer, inputs);
  const int rank = b.value(x).shape.rank();
  Json axis = layer.config.contains("axis") ? layer.config["axis"] : Json(-1);
  if (axis.is_array() && axis.size() == 1) axis = Json(axis[0]);
  if (axis != Json(-1) && axis != Json(rank - 1)) refuse(layer, "normalizes another axis than the last");
  auto filled = [&](float value) {
    Tensor tensor(DType::f32, Shape{b.value(x).shape.back()});
    for (float& v : tensor.mutable_data<float>()) v = value;
    return tensor;
  };
  const Tensor gamma = option<bool>(layer, "scale", true) ? weight(layer, "gamma", 1) : filled(1);
  const Tensor beta = option<bool>(layer, "center", true) ? weight(layer, "beta", 1) : filled(0);
  const Inputs all{x, parameter(b, layer, "gamma", gamma), parameter(b, layer, "beta", beta),
                   parameter(b, layer, "moving_mean", weight(layer, "moving_mean", 1), false),
                   parameter(b, layer, "moving_variance", weight(layer, "moving_variance", 1), false)};
  const graph::BatchNormAttrs attrs{static_cast<float>(option<double>(layer, "epsilon", 1e-3)), static_cast<float>(1 - option<double>(layer, "momentum", 0.99))};
  return b.node(OpKind::BatchNorm, attrs, all, layer.name);
}

ValueId relu(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const double none = 0;
  if (option<double>(layer, "negative_slope", none) != 0 || option<double>(layer, "threshold", none) != 0) refuse(layer, "is a ReLU with a slope or threshold");
  const double top = option<double>(layer, "max_value", -1);
  if (top != -1 && top != 6) refuse(layer, fmt::format("is a ReLU up to {}, which is not supported", top), "6 or no bound is");
  return one(b, top == 6 ? OpKind::Relu6 : OpKind::Relu, input0(layer, inputs), layer.name);
}

ValueId pool(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  const auto kernel = pair(layer, "pool_size", 2), stride = layer.config.contains("strides") && !layer.config["strides"].is_null() ? pair(layer, "strides", 2) : kernel;
  const graph::Pool2dAttrs attrs{kernel[0], kernel[1], stride[0], stride[1], padding(layer)};
  return b.node(layer.kind == "MaxPooling2D" ? OpKind::MaxPool2d : OpKind::AveragePool2d, attrs, {input0(layer, inputs)}, layer.name);
}

ValueId global_average(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  return b.node(OpKind::Mean, graph::MeanAttrs{{1, 2}, option<bool>(layer, "keepdims", false)}, {input0(layer, inputs)}, layer.name);
}

ValueId zero_padding(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  const Json& sides = layer.config.contains("padding") ? layer.config["padding"] : layer.config;
  const bool sound = sides.is_array() && sides.size() == 2 && sides[0].is_array() && sides[0].size() == 2 && sides[1].is_array() && sides[1].size() == 2;
  if (!sound) refuse(layer, "has a padding that is not ((top, bottom), (left, right))");
  auto at = [&](size_t i, size_t j) { return side(layer, sides[i][j], 0); };
  return b.node(OpKind::Pad, graph::PadAttrs{{0, at(0, 0), at(1, 0), 0}, {0, at(0, 1), at(1, 1), 0}}, {input0(layer, inputs)}, layer.name);
}

ValueId reshape_to(ops::GraphBuilder& b, const Layer& layer, ValueId x, std::vector<int64_t> dims) {
  int64_t known = 1;
  int64_t* open = nullptr;
  for (int64_t& dim : dims) {
    if (dim == -1 && !open) {
      open = &dim;
      continue;
    }
    if (dim < 1 || dim > (int64_t{1} << 31) || known > (int64_t{1} << 31)) refuse(layer, "has a target shape that is out of range");
    known *= dim;
  }
  if (open) *open = b.value(x).shape.elements() / known;
  return b.node(OpKind::Reshape, graph::ReshapeAttrs{dims}, {x}, layer.name);
}

ValueId reshape(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  return reshape_to(b, layer, input0(layer, inputs), json_at<std::vector<int64_t>>(layer.config, "target_shape", layer.where));
}

ValueId flatten(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const ValueId x = input0(layer, inputs);
  return reshape_to(b, layer, x, {b.value(x).shape.elements()});
}

ValueId dropout(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const double rate = std::clamp(option<double>(layer, "rate", 0.5), 0.0, 1.0);
  return b.node(OpKind::Dropout, graph::DropoutAttrs{static_cast<float>(rate)}, {input0(layer, inputs)}, layer.name);
}

ValueId softmax_layer(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  const ValueId x = input0(layer, inputs);
  const auto axis = option<int64_t>(layer, "axis", -1);
  if (axis != -1 && axis != b.value(x).shape.rank() - 1) refuse(layer, "is a softmax over another axis than the last");
  return softmax(b, x, layer.name);
}

ValueId combine(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  if (inputs.size() < 2) refuse(layer, "combines fewer than two values");
  const OpKind op = layer.kind == "Add" ? OpKind::Add : OpKind::Mul;
  ValueId y = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) y = b.node(op, graph::ActivationAttrs{}, {y, inputs[i]}, i + 1 == inputs.size() ? layer.name : layer.name + "/part");
  return y;
}

ValueId concatenate(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  if (inputs.size() < 2) refuse(layer, "combines fewer than two values");
  const int rank = b.value(inputs[0]).shape.rank();
  const auto axis = option<int64_t>(layer, "axis", -1);
  if (axis < -rank || axis >= rank) refuse(layer, "joins along an axis that its inputs have not");
  return b.node(OpKind::Concatenation, graph::ConcatenationAttrs{static_cast<int>(axis < 0 ? axis + rank : axis)}, inputs, layer.name);
}

/// y = x * scale + offset, each one number or one a channel.
ValueId rescaling(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  auto constant = [&](const char* key) {
    const Json& json = layer.config.contains(key) ? layer.config[key] : layer.config;
    if (json.is_number()) return Tensor::of<float>(Shape{1}, std::vector<float>{json.get<float>()});
    if (!json.is_array() || json.empty()) refuse(layer, fmt::format("has a '{}' that is no number", key));
    return Tensor::of<float>(Shape{static_cast<int64_t>(json.size())}, json_at<std::vector<float>>(layer.config, key, layer.where));
  };
  ValueId x = b.node(OpKind::Mul, graph::ActivationAttrs{}, {input0(layer, inputs), parameter(b, layer, "scale", constant("scale"), false)}, layer.name + "/scaled");
  if (!layer.config.contains("offset") || layer.config["offset"] == Json(0) || layer.config["offset"] == Json(0.0)) return x;
  return b.node(OpKind::Add, graph::ActivationAttrs{}, {x, parameter(b, layer, "offset", constant("offset"), false)}, layer.name);
}

ValueId up_sampling(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) {
  require_channels_last(layer);
  if (option<std::string>(layer, "interpolation", "nearest") != "nearest") refuse(layer, "enlarges by something else than nearest pixels");
  const ValueId x = input0(layer, inputs);
  const auto factor = pair(layer, "size", 2);
  const Shape& shape = b.value(x).shape;
  if (shape.rank() != 4 || shape[1] > kMaxSide || shape[2] > kMaxSide) refuse(layer, "enlarges " + shape.batch_str());
  const int64_t h = shape[1] * factor[0], w = shape[2] * factor[1];
  if (h > kMaxSide || w > kMaxSide) refuse(layer, "has a size that is out of range");
  return b.node(OpKind::ResizeNearest, graph::ResizeNearestAttrs{static_cast<int>(h), static_cast<int>(w)}, {x}, layer.name);
}

ValueId activation_layer(ops::GraphBuilder& b, const Layer& layer, const Inputs& inputs) { return activation(b, layer, input0(layer, inputs), true); }

using Add = ValueId (*)(ops::GraphBuilder&, const Layer&, const Inputs&);

Add find_layer(std::string_view kind) {
  constexpr auto kLayers = std::to_array<std::pair<std::string_view, Add>>({
      {"Activation", activation_layer},
      {"Add", combine},
      {"AveragePooling2D", pool},
      {"BatchNormalization", batch_normalization},
      {"Concatenate", concatenate},
      {"Conv2D", conv2d},
      {"Dense", dense},
      {"DepthwiseConv2D", depthwise_conv2d},
      {"Dropout", dropout},
      {"Flatten", flatten},
      {"GlobalAveragePooling2D", global_average},
      {"MaxPooling2D", pool},
      {"Multiply", combine},
      {"ReLU", relu},
      {"Rescaling", rescaling},
      {"Reshape", reshape},
      {"SeparableConv2D", separable_conv2d},
      {"Softmax", softmax_layer},
      {"UpSampling2D", up_sampling},
      {"ZeroPadding2D", zero_padding},
  });
  for (const auto& [name, add] : kLayers)
    if (name == kind) return add;
  return nullptr;
}

}  // namespace

ValueId add_layer(ops::GraphBuilder& builder, const Layer& layer, const Inputs& inputs) {
  const Add add = find_layer(layer.kind);
  const bool nested = layer.kind == "Functional" || layer.kind == "Sequential" || layer.kind == "Model";
  if (!add) refuse(layer, "is of a kind that Kinglet does not know", nested ? "a model within the model: rebuild it flat before saving" : "");
  try {
    return add(builder, layer, inputs);
  } catch (const Error& error) {
    if (error.where() == layer.where) throw;
    throw Error(layer.where, error.what());
  }
}

}  // namespace kinglet::formats::keras_h5
