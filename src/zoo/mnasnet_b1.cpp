// MnasNet-B1, the searched net without squeeze-and-excitation, as torchvision's mnasnet0_5 .. mnasnet1_3 have it, names too.
#include "zoo/mobile_block.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Stage {
  int factor, kernel, stride, channels, blocks;
};
constexpr Stage kStages[] = {{3, 3, 2, 24, 3}, {3, 5, 2, 40, 3}, {6, 5, 2, 80, 3}, {6, 3, 1, 96, 2}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};

/// One list of layers holds expansion, BatchNorm, ReLU, depthwise, BatchNorm, ReLU, projection, BatchNorm.
MobileNames names_of(const std::string& block) {
  const auto layer = [&](int i) { return block + ".layers." + std::to_string(i); };
  return {block, layer(0), layer(1), layer(3), layer(4), {}, {}, layer(6), layer(7)};
}

}  // namespace

graph::Model build_mnasnet_b1(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const MobileStyle style{Act::relu};
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();

  Layers net(spec, seed);
  ValueId x = net.conv(net.input(), {divisible_by_8(32 * spec.width), 3, 2, style.around(3), false}, "layers.0");
  x = norm_act(net, style, x, "layers.1");
  const MobileNames first{"layers.3", {}, {}, "layers.3", "layers.4", {}, {}, "layers.6", "layers.7"};
  x = mobile_block(net, style, {net.channels(x), divisible_by_8(16 * spec.width), 3, 1, 0, false}, first, x);
  int index = 8;
  for (const Stage& stage : kStages) {
    const std::string name = "layers." + std::to_string(index++) + ".";
    for (int b = 0; b < stage.blocks; ++b) {
      const MobileBlock block{stage.factor * net.channels(x), divisible_by_8(stage.channels * spec.width), stage.kernel, b == 0 ? stage.stride : 1, 0, b > 0};
      x = mobile_block(net, style, block, names_of(name + std::to_string(b)), x);
    }
  }
  x = norm_act(net, style, net.conv(x, {1280, 1, 1, {}, false}, "layers.14"), "layers.15");
  x = net.dropout(net.global_mean(x, "pool"), dropout, "classifier.0");
  return net.finish(net.dense(x, spec.classes, "classifier.1"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
