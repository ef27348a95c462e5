// EfficientNet-Lite0 (Google 2020): EfficientNet-B0 without squeeze-and-excitation and with ReLU6; the stem and the head keep
// their channels at every width. Values are named as timm's efficientnet_lite0 names them.
#include "zoo/mobile_block.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Stage {
  int factor, kernel, stride, channels, blocks;
};
constexpr Stage kStages[] = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
                             {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};

}  // namespace

graph::Model build_efficientnet_lite0(const Spec& spec, uint64_t seed) {
  Options options(spec);
  MobileStyle style{Act::relu6, false, 1e-3f, 0.01f};
  style.same = options.word("padding", "keras", {"torch", "keras"}) == "keras";
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();

  Layers net(spec, seed);
  ValueId x = norm_act(net, style, net.conv(net.input(), {32, 3, 2, style.around(3), false}, "conv_stem"), "bn1");
  int index = 0;
  for (const Stage& stage : kStages) {
    const std::string name = "blocks." + std::to_string(index++) + ".";
    for (int b = 0; b < stage.blocks; ++b) {
      const MobileBlock block{stage.factor * net.channels(x), divisible_by_8(stage.channels * spec.width), stage.kernel, b == 0 ? stage.stride : 1};
      x = mobile_block(net, style, block, timm_names(name + std::to_string(b), stage.factor != 1), x);
    }
  }
  x = norm_act(net, style, net.conv(x, {1280, 1, 1, {}, false}, "conv_head"), "bn2");
  x = net.dropout(net.global_mean(x, "pool"), dropout, "dropout");
  return net.finish(net.dense(x, spec.classes, "classifier"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
