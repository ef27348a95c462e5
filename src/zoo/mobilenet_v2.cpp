// MobileNet V2 (Sandler et al. 2018, table 2): inverted residuals with linear bottlenecks. Values are named as torchvision's
// state dictionary names them; padding=keras pads as tf.keras.applications does.
#include <algorithm>

#include "zoo/mobile_block.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Stage {
  int factor, channels, blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

/// torchvision counts the parts of a block's `conv`, and a block that does not expand has one less.
MobileNames names_of(const std::string& block, bool expands) {
  const int dw = expands ? 1 : 0;
  const auto part = [&](int i) { return block + ".conv." + std::to_string(i); };
  return {block, part(0) + ".0", part(0) + ".1", part(dw) + ".0", part(dw) + ".1", {}, {}, part(dw + 1), part(dw + 2)};
}

}  // namespace

graph::Model build_mobilenet_v2(const Spec& spec, uint64_t seed) {
  Options options(spec);
  MobileStyle style;
  if (options.word("padding", "torch", {"torch", "keras"}) == "keras") style = {Act::relu6, true, 1e-3f, 0.01f};
  const int stem_stride = options.integer("stem_stride", 2, 1, 2);
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();

  Layers net(spec, seed);
  ValueId x = net.conv(net.input(), {divisible_by_8(32 * spec.width), 3, stem_stride, style.around(3), false}, "features.0.0");
  x = norm_act(net, style, x, "features.0.1");
  int index = 1;
  for (const Stage& stage : kStages)
    for (int b = 0; b < stage.blocks; ++b) {
      const MobileBlock block{stage.factor * net.channels(x), divisible_by_8(stage.channels * spec.width), 3, b == 0 ? stage.stride : 1};
      x = mobile_block(net, style, block, names_of("features." + std::to_string(index++), stage.factor != 1), x);
    }
  const std::string last = "features." + std::to_string(index);
  x = net.conv(x, {divisible_by_8(1280 * std::max(1.0, spec.width)), 1, 1, {}, false}, last + ".0");
  x = net.dropout(net.global_mean(norm_act(net, style, x, last + ".1"), "pool"), dropout, "classifier.0");
  return net.finish(net.dense(x, spec.classes, "classifier.1"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
