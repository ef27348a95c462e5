// ResNet8 of MLPerf Tiny's image classification task: three stacks of two 3x3 convolutions, BatchNorm after each 3x3 and
// none on the 1x1 shortcuts. Input in raw 0..255, as its published files have it.
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

ValueId conv_bn(Layers& net, ValueId x, int out, int stride, const std::string& name) {
  return net.batch_norm(net.conv(x, {out, 3, stride, same_padding(), true}, name + ".conv"), name + ".bn", 1e-3f, 0.01f);
}

ValueId stack(Layers& net, ValueId x, int out, int stride, const std::string& name) {
  ValueId y = net.activation(conv_bn(net, x, out, stride, name + ".first"), Act::relu, name + ".first.relu");
  y = conv_bn(net, y, out, 1, name + ".second");
  const ValueId shortcut = stride == 1 ? x : net.conv(x, {out, 1, stride, same_padding(), true}, name + ".shortcut");
  return net.activation(net.add(shortcut, y, name + ".add"), Act::relu, name + ".relu");
}

}  // namespace

graph::Model build_resnet8(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const std::string range = options.word("input", "raw", {"unit", "signed", "raw", "imagenet"});
  options.done();
  refuse_width(spec);

  Layers net(spec, seed);
  ValueId x = net.activation(conv_bn(net, net.input(), 16, 1, "stem"), Act::relu, "stem.relu");
  x = stack(net, x, 16, 1, "stack0");
  x = stack(net, x, 32, 2, "stack1");
  x = stack(net, x, 64, 2, "stack2");
  return net.finish(net.dense(net.global_average_pool(x, "pool"), spec.classes, "head"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
