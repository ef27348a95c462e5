#include "zoo/mobile_block.h"

namespace kinglet::zoo {

using graph::Activation;
using graph::ValueId;

ValueId norm_act(Layers& net, const MobileStyle& style, ValueId x, const std::string& norm) {
  return net.activation(net.batch_norm(x, norm, style.eps, style.momentum), style.activation, norm + ".act");
}

ValueId squeeze_excite(Layers& net, ValueId x, int squeeze, const std::string& reduce, const std::string& excite) {
  ValueId y = net.conv(net.global_mean(x, reduce + ".mean", true), {squeeze, 1, 1, {}, true}, reduce);
  y = net.conv(net.activation(y, Activation::relu, reduce + ".relu"), {net.channels(x), 1, 1, {}, true}, excite);
  return net.multiply(x, net.logistic(y, excite + ".logistic"), excite + ".scaled");
}

ValueId mobile_block(Layers& net, const MobileStyle& style, const MobileBlock& block, const MobileNames& names, ValueId x) {
  ValueId y = x;
  if (block.expanded != net.channels(x)) y = norm_act(net, style, net.conv(x, {block.expanded, 1, 1, {}, false}, names.expand), names.expand_norm);
  y = net.depthwise(y, {0, block.kernel, block.stride, style.around(block.kernel), false}, names.depthwise);
  y = norm_act(net, style, y, names.depthwise_norm);
  if (block.squeeze > 0) y = squeeze_excite(net, y, block.squeeze, names.reduce, names.excite);
  y = net.batch_norm(net.conv(y, {block.out, 1, 1, {}, false}, names.project), names.project_norm, style.eps, style.momentum);
  return block.skip && block.stride == 1 && net.channels(x) == block.out ? net.add(x, y, names.block + ".add") : y;
}

}  // namespace kinglet::zoo
