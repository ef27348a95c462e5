// What the architectures share: layers with their parameters drawn and named, options read with suggestions.
#pragma once

#include <initializer_list>
#include <string>

#include "ops/builder.h"
#include "zoo/zoo.h"

namespace kinglet::zoo {

/// Reads options and remembers which were asked for, so that done() can refuse the rest.
class Options {
 public:
  explicit Options(const Spec& spec) : spec_(spec) {}
  int integer(const std::string& key, int fallback, int low, int high);
  double number(const std::string& key, double fallback, double low, double high);
  std::string word(const std::string& key, const std::string& fallback, std::initializer_list<std::string> allowed);
  bool yes(const std::string& key, bool fallback);
  /// Throws a usage Error naming an option that nobody asked for.
  void done() const;

 private:
  const Spec& spec_;
  std::vector<std::string> known_;
};

enum class Act : uint8_t { none, relu, relu6, hard_swish };

struct ConvShape {
  int out, kernel = 3, stride = 1;
  graph::Padding padding;
  bool bias = false;
};

/// Adds layers to one Graph; every parameter gets the next draw of the seed.
class Layers {
 public:
  using ValueId = graph::ValueId;
  Layers(const Spec& spec, uint64_t seed);

  ValueId input() const { return input_; }
  int channels(ValueId x) const;
  const Shape& shape(ValueId x) const { return builder_.value(x).shape; }
  ValueId conv(ValueId x, const ConvShape& shape, const std::string& name);
  /// Channel multiplier 1; `shape.out` is not read.
  ValueId depthwise(ValueId x, const ConvShape& shape, const std::string& name);
  ValueId batch_norm(ValueId x, const std::string& name, float eps = 1e-5f, float momentum = 0.1f);
  ValueId activation(ValueId x, Act kind, const std::string& name);
  ValueId add(ValueId a, ValueId b, const std::string& name);
  ValueId multiply(ValueId a, ValueId b, const std::string& name);
  ValueId logistic(ValueId x, const std::string& name);
  /// relu6(x + 3) / 6.
  ValueId hard_sigmoid(ValueId x, const std::string& name);
  /// x times a gate per channel: mean over the picture, 1x1 to `squeeze`, ReLU, 1x1 back, logistic or hard sigmoid (Hu et al. 2018).
  ValueId squeeze_excite(ValueId x, int squeeze, const std::string& reduce, const std::string& excite, bool hard_gate);
  /// Along the channels.
  ValueId concat(const std::vector<ValueId>& parts, const std::string& name);
  /// N x C, or N x 1 x 1 x C.
  ValueId global_mean(ValueId x, const std::string& name, bool keep_dims = false);
  ValueId global_average_pool(ValueId x, const std::string& name);
  /// No padding: only whole windows count; with `cover` the last window may reach over the edge (PyTorch's ceil_mode).
  ValueId max_pool(ValueId x, int kernel, int stride, const std::string& name, bool cover = false);
  ValueId average_pool(ValueId x, int kernel, int stride, const std::string& name);
  ValueId dropout(ValueId x, double rate, const std::string& name);
  /// Over the flattened x. `gain` is the variance of the weights times the number of inputs: 2 where a ReLU follows.
  ValueId dense(ValueId x, int out, const std::string& name, double gain = 1.0);
  /// Softmax over `logits`, becomes the output; hands the Model over.
  graph::Model finish(ValueId logits, const graph::InputSpec& input);

 private:
  ValueId drawn(const std::string& name, Shape shape, double deviation);
  ValueId filled(const std::string& name, int count, float value, bool trainable = true);

  Spec spec_;
  uint64_t seed_;
  uint64_t parameter_ = 0;
  int64_t weights_ = 0;
  ops::GraphBuilder builder_;
  ValueId input_;
};

graph::Padding explicit_padding(int pixels);
graph::Padding same_padding();

/// "32x32x3" into the spec; throws a usage Error at `where`.
void parse_size(const std::string& word, const std::string& where, Spec& spec);
/// Refuses a spec that names a width.
void refuse_width(const Spec& spec);
/// Refuses pictures smaller than `side` either way.
void require_side(const Spec& spec, int side);

/// The usual ranges: "unit" x/255, "signed" x/127.5 - 1, "raw" x, "imagenet" (x/255 - mean) / deviation of ImageNet's pixels (as
/// torchvision's weights expect); stretched bilinear to the input's size.
graph::InputSpec input_spec(const Spec& spec, const std::string& range);

/// max(8, value rounded to the nearest multiple of 8), plus 8 when that lost more than a tenth (MobileNetV2's rule).
int divisible_by_8(double value);

}  // namespace kinglet::zoo
