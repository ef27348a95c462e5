// SqueezeNet 1.1 (Iandola et al. 2016, and its own repository) as torchvision has it, names too: Fire modules join a 1x1 and a
// 3x3 branch; the head is a 1x1 convolution, its ReLU and a mean, with no fully connected layer. No BatchNorm.
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

struct Fire {
  int index, squeeze, expand;
  bool pool_before;
};
constexpr Fire kFires[] = {{3, 16, 64, true},   {4, 16, 64, false},  {6, 32, 128, true},  {7, 32, 128, false},
                           {9, 48, 192, true}, {10, 48, 192, false}, {11, 64, 256, false}, {12, 64, 256, false}};

ValueId conv_relu(Layers& net, ValueId x, int out, int kernel, int stride, const std::string& name) {
  const graph::Padding padding = kernel == 3 && stride == 1 ? explicit_padding(1) : graph::Padding{};
  return net.activation(net.conv(x, {out, kernel, stride, padding, true}, name), Act::relu, name + ".relu");
}

ValueId fire(Layers& net, ValueId x, int squeeze, int expand, const std::string& name) {
  const ValueId s = conv_relu(net, x, squeeze, 1, 1, name + ".squeeze");
  return net.concat({conv_relu(net, s, expand, 1, 1, name + ".expand1x1"), conv_relu(net, s, expand, 3, 1, name + ".expand3x3")}, name + ".concat");
}

}  // namespace

graph::Model build_squeezenet(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const double dropout = options.number("dropout", 0.5, 0, 0.9);
  const std::string range = options.word("input", "signed", {"unit", "signed", "raw", "imagenet"});
  options.done();
  require_side(spec, 17);

  const auto scaled = [&](int channels) { return divisible_by_8(channels * spec.width); };
  Layers net(spec, seed);
  ValueId x = conv_relu(net, net.input(), scaled(64), 3, 2, "features.0");
  for (const Fire& f : kFires) {
    const std::string name = "features." + std::to_string(f.index);
    if (f.pool_before) x = net.max_pool(x, 3, 2, "features." + std::to_string(f.index - 1), /*cover=*/true);
    x = fire(net, x, scaled(f.squeeze), scaled(f.expand), name);
  }
  x = conv_relu(net, net.dropout(x, dropout, "classifier.0"), spec.classes, 1, 1, "classifier.1");
  return net.finish(net.global_mean(x, "classifier.3"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
