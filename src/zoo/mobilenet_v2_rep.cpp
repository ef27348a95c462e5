// MobileNetV2 Rep (Seeed): no expansion, no depthwise, no skips; each block is a 3x3 convolution followed by six linear
// 1x1 steps with BatchNorm branches, which fold into the one 3x3 (SYSTEMS.md part A states the block).
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

constexpr int kSteps = 6;

struct Stage {
  int channels, blocks, stride;
};
constexpr Stage kStages[] = {{16, 1, 1}, {24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}};

using ValueId = graph::ValueId;

/// x0 = BN(conv3x3(x)); x_{i+1} = BN(conv1x1(x_i)) + BN_i(x_i) + (i > 0 ? BN_dense(x0) : 0); ReLU at the end.
ValueId rep_conv(Layers& net, ValueId x, int out, int stride, const std::string& name) {
  const ValueId x0 = net.batch_norm(net.conv(x, {out, 3, stride, explicit_padding(1), true}, name + ".conv"), name + ".bn");
  const ValueId dense = net.batch_norm(x0, name + ".dense_bn");
  ValueId y = x0;
  for (int i = 0; i < kSteps; ++i) {
    const std::string step = name + ".step" + std::to_string(i);
    const ValueId conv = net.batch_norm(net.conv(y, {out, 1, 1, {}, true}, step + ".conv"), step + ".bn");
    const ValueId sum = net.add(conv, net.batch_norm(y, step + ".identity_bn"), step + ".add");
    y = i > 0 ? net.add(sum, dense, step + ".add_dense") : sum;
  }
  return net.activation(y, Act::relu, name + ".relu");
}

}  // namespace

graph::Model build_mobilenet_v2_rep(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const int stages = options.integer("stages", 3, 1, 7);
  const std::string range = options.word("input", "unit", {"unit", "signed", "raw", "imagenet"});
  options.done();

  Layers net(spec, seed);
  ValueId x = net.conv(net.input(), {divisible_by_8(32 * spec.width), 3, 2, explicit_padding(1), false}, "stem.conv");
  x = net.activation(net.batch_norm(x, "stem.bn"), Act::relu6, "stem.relu6");
  for (int s = 0; s < stages; ++s)
    for (int b = 0; b < kStages[s].blocks; ++b)
      x = rep_conv(net, x, 2 * divisible_by_8(kStages[s].channels * spec.width), b == 0 ? kStages[s].stride : 1,
                   "stage" + std::to_string(s) + ".block" + std::to_string(b));
  return net.finish(net.dense(net.global_mean(x, "pool"), spec.classes, "head"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
