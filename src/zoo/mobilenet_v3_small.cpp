// MobileNet V3 small (Howard et al. 2019, table 2) as torchvision has it, names too: hard-swish, and squeeze-and-excitation
// gated by a hard sigmoid, which stands here as relu6(x + 3) / 6.
#include "zoo/mobile_block.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Bneck {
  int kernel, expanded, out, stride;
  bool squeeze, hard_swish;
};
constexpr Bneck kBlocks[] = {{3, 16, 16, 2, true, false}, {3, 72, 24, 2, false, false}, {3, 88, 24, 1, false, false}, {5, 96, 40, 2, true, true},
                             {5, 240, 40, 1, true, true}, {5, 240, 40, 1, true, true},  {5, 120, 48, 1, true, true},  {5, 144, 48, 1, true, true},
                             {5, 288, 96, 2, true, true}, {5, 576, 96, 1, true, true},  {5, 576, 96, 1, true, true}};

/// torchvision counts the parts of `block`: expansion, depthwise, squeeze-and-excitation, projection, each where present.
MobileNames names_of(const std::string& block, bool expands, bool squeezes) {
  int next = 0;
  const auto part = [&] { return block + ".block." + std::to_string(next++); };
  MobileNames names;
  names.block = block;
  if (expands) names.expand = part();
  names.expand_norm = names.expand + ".1", names.expand += ".0";
  names.depthwise = part();
  names.depthwise_norm = names.depthwise + ".1", names.depthwise += ".0";
  if (squeezes) names.reduce = part();
  names.excite = names.reduce + ".fc2", names.reduce += ".fc1";
  names.project = part();
  names.project_norm = names.project + ".1", names.project += ".0";
  return names;
}

}  // namespace

graph::Model build_mobilenet_v3_small(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();
  MobileStyle relu{Act::relu, false, 1e-3f, 0.01f, true}, swish = relu;
  swish.activation = Act::hard_swish;

  Layers net(spec, seed);
  ValueId x = net.conv(net.input(), {divisible_by_8(16 * spec.width), 3, 2, explicit_padding(1), false}, "features.0.0");
  x = norm_act(net, swish, x, "features.0.1");
  int index = 1;
  for (const Bneck& b : kBlocks) {
    const int expanded = divisible_by_8(b.expanded * spec.width);
    const MobileBlock block{expanded, divisible_by_8(b.out * spec.width), b.kernel, b.stride, b.squeeze ? divisible_by_8(expanded / 4) : 0};
    const auto names = names_of("features." + std::to_string(index++), expanded != net.channels(x), b.squeeze);
    x = mobile_block(net, b.hard_swish ? swish : relu, block, names, x);
  }
  x = net.conv(x, {6 * net.channels(x), 1, 1, {}, false}, "features.12.0");
  x = net.global_mean(norm_act(net, swish, x, "features.12.1"), "pool");
  x = net.activation(net.dense(x, divisible_by_8(1024 * spec.width), "classifier.0", 2.0), Act::hard_swish, "classifier.1");
  return net.finish(net.dense(net.dropout(x, dropout, "classifier.2"), spec.classes, "classifier.3"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
