// MobileNet V1 (Howard et al. 2017, table 1): a 3x3 stem and 13 depthwise/pointwise pairs. With act=relu,bias=yes it is the
// trunk of MLPerf Tiny's Visual Wake Words.
#include <cmath>

#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Pair {
  int channels, stride;
};
constexpr Pair kPairs[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                           {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};

struct Style {
  Act activation;
  bool bias;
};

ValueId norm_act(Layers& net, ValueId x, const Style& style, const std::string& name) {
  const char* act = style.activation == Act::relu ? ".relu" : ".relu6";
  return net.activation(net.batch_norm(x, name + ".bn", 1e-3f, 0.01f), style.activation, name + act);
}

}  // namespace

graph::Model build_mobilenet_v1(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const Style style{options.word("act", "relu6", {"relu", "relu6"}) == "relu" ? Act::relu : Act::relu6,
                    options.word("bias", "no", {"yes", "no"}) == "yes"};
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();

  const auto scaled = [&](int channels) { return std::max(1, static_cast<int>(channels * spec.width)); };
  Layers net(spec, seed);
  ValueId x = norm_act(net, net.conv(net.input(), {scaled(32), 3, 2, same_padding(), style.bias}, "stem.conv"), style, "stem");
  int index = 0;
  for (const Pair& pair : kPairs) {
    const std::string name = "pair" + std::to_string(index++);
    x = norm_act(net, net.depthwise(x, {0, 3, pair.stride, same_padding(), style.bias}, name + ".depthwise"), style, name + ".depthwise");
    x = norm_act(net, net.conv(x, {scaled(pair.channels), 1, 1, same_padding(), style.bias}, name + ".pointwise"), style, name + ".pointwise");
  }
  return net.finish(net.dense(net.global_average_pool(x, "pool"), spec.classes, "head"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
