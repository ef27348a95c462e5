// MnasNet-A1 (Tan et al. 2019, figure 7): the searched net with squeeze-and-excitation. Values are named as timm's
// mnasnet_a1 / semnasnet_075 name them; the head keeps its 1280 channels at every width.
#include "zoo/mobile_block.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Stage {
  int factor, kernel, stride, channels, blocks;
  bool squeeze;
};
constexpr Stage kStages[] = {{6, 3, 2, 24, 2, false}, {3, 5, 2, 40, 3, true},  {6, 3, 2, 80, 4, false},
                             {6, 3, 1, 112, 2, true}, {6, 5, 2, 160, 3, true}, {6, 3, 1, 320, 1, false}};

}  // namespace

graph::Model build_mnasnet_a1(const Spec& spec, uint64_t seed) {
  Options options(spec);
  MobileStyle style{Act::relu};
  style.same = options.word("padding", "torch", {"torch", "keras"}) == "keras";
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();

  Layers net(spec, seed);
  ValueId x = net.conv(net.input(), {divisible_by_8(32 * spec.width), 3, 2, style.around(3), false}, "conv_stem");
  x = norm_act(net, style, x, "bn1");
  const MobileBlock first{net.channels(x), divisible_by_8(16 * spec.width), 3, 1, 0, false};
  x = mobile_block(net, style, first, timm_names("blocks.0.0", false), x);
  int index = 1;
  for (const Stage& stage : kStages) {
    const std::string name = "blocks." + std::to_string(index++) + ".";
    for (int b = 0; b < stage.blocks; ++b) {
      const int in = net.channels(x);
      const MobileBlock block{stage.factor * in, divisible_by_8(stage.channels * spec.width), stage.kernel, b == 0 ? stage.stride : 1, stage.squeeze ? in / 4 : 0};
      x = mobile_block(net, style, block, timm_names(name + std::to_string(b), true), x);
    }
  }
  x = norm_act(net, style, net.conv(x, {1280, 1, 1, {}, false}, "conv_head"), "bn2");
  x = net.dropout(net.global_mean(x, "pool"), dropout, "dropout");
  return net.finish(net.dense(x, spec.classes, "classifier"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
