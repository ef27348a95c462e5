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
  std::string word(const std::string& key, const std::string& fallback, std::initializer_list<std::string> allowed);
  /// Throws a usage Error naming an option that nobody asked for.
  void done() const;

 private:
  const Spec& spec_;
  std::vector<std::string> known_;
};

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
  ValueId conv(ValueId x, const ConvShape& shape, const std::string& name);
  /// Channel multiplier 1; `shape.out` is not read.
  ValueId depthwise(ValueId x, const ConvShape& shape, const std::string& name);
  ValueId batch_norm(ValueId x, const std::string& name, float eps = 1e-5f, float momentum = 0.1f);
  ValueId activation(ValueId x, graph::Activation kind, const std::string& name);
  ValueId add(ValueId a, ValueId b, const std::string& name);
  ValueId global_mean(ValueId x, const std::string& name);
  ValueId global_average_pool(ValueId x, const std::string& name);
  ValueId dense(ValueId x, int out, const std::string& name);
  /// Softmax over `logits`, becomes the output; hands the Model over.
  graph::Model finish(ValueId logits, const graph::InputSpec& input);

 private:
  ValueId drawn(const std::string& name, Shape shape, double deviation);
  ValueId filled(const std::string& name, int count, float value, bool trainable = true);

  Spec spec_;
  uint64_t seed_;
  uint64_t parameter_ = 0;
  ops::GraphBuilder builder_;
  ValueId input_;
};

graph::Padding explicit_padding(int pixels);
graph::Padding same_padding();

/// The usual ranges: "unit" x/255, "signed" x/127.5 - 1, "raw" x; stretched bilinear to the input's size.
graph::InputSpec input_spec(const Spec& spec, const std::string& range);

/// max(8, value rounded to the nearest multiple of 8), plus 8 when that lost more than a tenth (MobileNetV2's rule).
int divisible_by_8(double value);

}  // namespace kinglet::zoo
