#include "zoo/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/random.h"

namespace kinglet::zoo {

using graph::OpKind;

int Options::integer(const std::string& key, int fallback, int low, int high) {
  known_.push_back(key);
  auto it = spec_.options.find(key);
  if (it == spec_.options.end()) return fallback;
  int value = 0;
  const std::string& word = it->second;
  auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || value < low || value > high)
    throw Error("model '" + spec_.text + "'", key + "=" + word + " is not a whole number from " + std::to_string(low) + " to " + std::to_string(high),
                {}, ErrorKind::usage);
  return value;
}

double Options::number(const std::string& key, double fallback, double low, double high) {
  known_.push_back(key);
  auto it = spec_.options.find(key);
  if (it == spec_.options.end()) return fallback;
  double value = 0;
  const std::string& word = it->second;
  auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || !(value >= low && value <= high))
    throw Error("model '" + spec_.text + "'", fmt::format("{}={} is not a number from {} to {}", key, word, low, high), {}, ErrorKind::usage);
  return value;
}

bool Options::yes(const std::string& key, bool fallback) { return word(key, fallback ? "yes" : "no", {"yes", "no"}) == "yes"; }

std::string Options::word(const std::string& key, const std::string& fallback, std::initializer_list<std::string> allowed) {
  known_.push_back(key);
  auto it = spec_.options.find(key);
  if (it == spec_.options.end()) return fallback;
  if (std::find(allowed.begin(), allowed.end(), it->second) != allowed.end()) return it->second;
  const std::vector<std::string> words(allowed);
  throw Error("model '" + spec_.text + "'", key + "=" + it->second + " is not known", did_you_mean(it->second, words), ErrorKind::usage);
}

void Options::done() const {
  for (const auto& [key, value] : spec_.options)
    if (std::find(known_.begin(), known_.end(), key) == known_.end())
      throw Error("model '" + spec_.text + "'", spec_.arch + " has no option '" + key + "'", did_you_mean(key, known_), ErrorKind::usage);
}

Layers::Layers(const Spec& spec, uint64_t seed) : spec_(spec), seed_(seed) {
  input_ = builder_.input("input", Shape{1, spec.height, spec.width_px, spec.channels});
}

int Layers::channels(ValueId x) const { return static_cast<int>(builder_.value(x).shape.back()); }

Layers::ValueId Layers::drawn(const std::string& name, Shape shape, double deviation) {
  constexpr int64_t kMostWeights = int64_t{1} << 26;
  weights_ += shape.elements();
  if (weights_ > kMostWeights)
    throw Error("model '" + spec_.text + "'", fmt::format("has more than {} weights at {}", kMostWeights, name), "fewer channels, or a smaller width", ErrorKind::usage);
  Tensor tensor(DType::f32, shape);
  RandomStream random(seed_, 0, parameter_++, Purpose::init);
  if (seed_ == kUndrawn) return builder_.constant(name, std::move(tensor), true);
  for (float& w : tensor.mutable_data<float>()) w = static_cast<float>(deviation * random.normal());
  return builder_.constant(name, std::move(tensor), true);
}

Layers::ValueId Layers::filled(const std::string& name, int count, float value, bool trainable) {
  Tensor tensor(DType::f32, Shape{count});
  for (float& w : tensor.mutable_data<float>()) w = value;
  return builder_.constant(name, std::move(tensor), trainable);
}

Layers::ValueId Layers::conv(ValueId x, const ConvShape& shape, const std::string& name) {
  const int in = channels(x), k = shape.kernel;
  std::vector<ValueId> inputs{x, drawn(name + ".weight", Shape{shape.out, k, k, in}, std::sqrt(2.0 / (k * k * in)))};
  if (shape.bias) inputs.push_back(filled(name + ".bias", shape.out, 0.0f));
  graph::Conv2dAttrs attrs;
  attrs.stride_h = attrs.stride_w = shape.stride;
  attrs.padding = shape.padding;
  return builder_.node(OpKind::Conv2d, attrs, std::move(inputs), name);
}

Layers::ValueId Layers::depthwise(ValueId x, const ConvShape& shape, const std::string& name) {
  const int c = channels(x), k = shape.kernel;
  std::vector<ValueId> inputs{x, drawn(name + ".weight", Shape{1, k, k, c}, std::sqrt(2.0 / (k * k)))};
  if (shape.bias) inputs.push_back(filled(name + ".bias", c, 0.0f));
  graph::DepthwiseConv2dAttrs attrs;
  attrs.stride_h = attrs.stride_w = shape.stride;
  attrs.padding = shape.padding;
  return builder_.node(OpKind::DepthwiseConv2d, attrs, std::move(inputs), name);
}

Layers::ValueId Layers::batch_norm(ValueId x, const std::string& name, float eps, float momentum) {
  const int c = channels(x);
  std::vector<ValueId> inputs{x, filled(name + ".weight", c, 1.0f), filled(name + ".bias", c, 0.0f),
                              filled(name + ".running_mean", c, 0.0f, false), filled(name + ".running_var", c, 1.0f, false)};
  return builder_.node(OpKind::BatchNorm, graph::BatchNormAttrs{eps, momentum}, std::move(inputs), name);
}

Layers::ValueId Layers::activation(ValueId x, Act kind, const std::string& name) {
  switch (kind) {
    case Act::none: return x;
    case Act::relu: return builder_.node(OpKind::Relu, graph::NoAttrs{}, {x}, name);
    case Act::relu6: return builder_.node(OpKind::Relu6, graph::NoAttrs{}, {x}, name);
    case Act::hard_swish: return builder_.node(OpKind::HardSwish, graph::NoAttrs{}, {x}, name);
  }
  KINGLET_CHECK(false, "an activation without a case");
}

Layers::ValueId Layers::add(ValueId a, ValueId b, const std::string& name) {
  return builder_.node(OpKind::Add, graph::ActivationAttrs{}, {a, b}, name);
}

Layers::ValueId Layers::multiply(ValueId a, ValueId b, const std::string& name) {
  return builder_.node(OpKind::Mul, graph::ActivationAttrs{}, {a, b}, name);
}

Layers::ValueId Layers::logistic(ValueId x, const std::string& name) { return builder_.node(OpKind::Logistic, graph::NoAttrs{}, {x}, name); }

Layers::ValueId Layers::hard_sigmoid(ValueId x, const std::string& name) {
  const ValueId shifted = add(x, builder_.constant(name + ".three", Tensor::of<float>(Shape{1}, {3.0f})), name + ".shifted");
  const ValueId sixth = builder_.constant(name + ".sixth", Tensor::of<float>(Shape{1}, {1.0f / 6.0f}));
  return multiply(activation(shifted, Act::relu6, name + ".relu6"), sixth, name);
}

Layers::ValueId Layers::squeeze_excite(ValueId x, int squeeze, const std::string& reduce, const std::string& excite, bool hard_gate) {
  ValueId y = conv(global_mean(x, reduce + ".mean", true), {squeeze, 1, 1, {}, true}, reduce);
  y = conv(activation(y, Act::relu, reduce + ".relu"), {channels(x), 1, 1, {}, true}, excite);
  return multiply(x, hard_gate ? hard_sigmoid(y, excite + ".gate") : logistic(y, excite + ".gate"), excite + ".scaled");
}

Layers::ValueId Layers::concat(const std::vector<ValueId>& parts, const std::string& name) {
  return builder_.node(OpKind::Concatenation, graph::ConcatenationAttrs{3}, parts, name);
}

Layers::ValueId Layers::global_mean(ValueId x, const std::string& name, bool keep_dims) {
  return builder_.node(OpKind::Mean, graph::MeanAttrs{{1, 2}, keep_dims}, {x}, name);
}

Layers::ValueId Layers::global_average_pool(ValueId x, const std::string& name) {
  const Shape& shape = builder_.value(x).shape;
  graph::Pool2dAttrs attrs;
  attrs.kernel_h = attrs.stride_h = static_cast<int>(shape[1]);
  attrs.kernel_w = attrs.stride_w = static_cast<int>(shape[2]);
  return builder_.node(OpKind::AveragePool2d, attrs, {x}, name);
}

Layers::ValueId Layers::max_pool(ValueId x, int kernel, int stride, const std::string& name, bool cover) {
  const Shape& shape = builder_.value(x).shape;
  graph::Padding padding{graph::PaddingMode::explicit_, 0, 0, 0, 0};
  const auto beyond = [&](int64_t n) { return n <= kernel ? 0 : static_cast<int>((stride - (n - kernel) % stride) % stride); };
  if (cover) padding.bottom = beyond(shape[1]), padding.right = beyond(shape[2]);
  if (padding.bottom == 0 && padding.right == 0) padding = {};
  return builder_.node(OpKind::MaxPool2d, graph::Pool2dAttrs{kernel, kernel, stride, stride, padding, graph::Activation::none}, {x}, name);
}

Layers::ValueId Layers::average_pool(ValueId x, int kernel, int stride, const std::string& name) {
  return builder_.node(OpKind::AveragePool2d, graph::Pool2dAttrs{kernel, kernel, stride, stride, {}, graph::Activation::none}, {x}, name);
}

Layers::ValueId Layers::dropout(ValueId x, double rate, const std::string& name) {
  if (rate == 0) return x;
  return builder_.node(OpKind::Dropout, graph::DropoutAttrs{static_cast<float>(rate)}, {x}, name);
}

Layers::ValueId Layers::dense(ValueId x, int out, const std::string& name, double gain) {
  const int in = static_cast<int>(builder_.value(x).shape.elements());
  ValueId weight = drawn(name + ".weight", Shape{out, in}, std::sqrt(gain / in));
  return builder_.node(OpKind::FullyConnected, graph::FullyConnectedAttrs{}, {x, weight, filled(name + ".bias", out, 0.0f)}, name);
}

graph::Model Layers::finish(ValueId logits, const graph::InputSpec& input) {
  builder_.output(builder_.node(OpKind::Softmax, graph::SoftmaxAttrs{}, {logits}, "softmax"));
  graph::Model model;
  model.name = spec_.arch;
  model.graph = builder_.finish();
  model.input = input;
  model.provenance["architecture"] = spec_.text;
  return model;
}

graph::Padding explicit_padding(int pixels) { return {graph::PaddingMode::explicit_, pixels, pixels, pixels, pixels}; }
graph::Padding same_padding() { return {graph::PaddingMode::same, 0, 0, 0, 0}; }

void refuse_width(const Spec& spec) {
  if (!spec.width_given) return;
  throw Error("model '" + spec.text + "'", spec.arch + " has no width",
              fmt::format("leave it out: {}@{}x{}x{},{}", spec.arch, spec.height, spec.width_px, spec.channels, spec.classes), ErrorKind::usage);
}

void require_side(const Spec& spec, int side) {
  if (spec.height >= side && spec.width_px >= side) return;
  throw Error("model '" + spec.text + "'", fmt::format("{} needs pictures of at least {}x{}", spec.arch, side, side), {}, ErrorKind::usage);
}

graph::InputSpec input_spec(const Spec& spec, const std::string& range) {
  graph::InputSpec input;
  input.height = spec.height;
  input.width = spec.width_px;
  input.channels = spec.channels;
  input.order = spec.channels == 1 ? graph::ColorOrder::gray : graph::ColorOrder::rgb;
  input.divisor = range == "raw" ? 1.0 : range == "signed" ? 127.5 : 255.0;
  if (range == "signed") {
    input.mean.assign(static_cast<size_t>(spec.channels), 1.0);
    input.stddev.assign(static_cast<size_t>(spec.channels), 1.0);
  }
  if (range == "imagenet") {
    input.mean = spec.channels == 1 ? std::vector<double>{0.449} : std::vector<double>{0.485, 0.456, 0.406};
    input.stddev = spec.channels == 1 ? std::vector<double>{0.226} : std::vector<double>{0.229, 0.224, 0.225};
  }
  set_origins(input, graph::Origin::embedded);
  return input;
}

int divisible_by_8(double value) {
  const int rounded = std::max(8, static_cast<int>(value + 4) / 8 * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

}  // namespace kinglet::zoo
