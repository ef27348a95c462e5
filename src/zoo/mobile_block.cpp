#include "zoo/mobile_block.h"

namespace kinglet::zoo {

using graph::ValueId;

MobileNames timm_names(const std::string& block, bool expands) {
  const auto part = [&](const char* name) { return block + "." + name; };
  if (!expands) return {block, {}, {}, part("conv_dw"), part("bn1"), {}, {}, part("conv_pw"), part("bn2")};
  return {block, part("conv_pw"), part("bn1"), part("conv_dw"), part("bn2"), part("se.conv_reduce"), part("se.conv_expand"), part("conv_pwl"), part("bn3")};
}

ValueId norm_act(Layers& net, const MobileStyle& style, ValueId x, const std::string& norm) {
  return net.activation(net.batch_norm(x, norm, style.eps, style.momentum), style.activation, norm + ".act");
}

ValueId mobile_block(Layers& net, const MobileStyle& style, const MobileBlock& block, const MobileNames& names, ValueId x) {
  ValueId y = x;
  if (block.expanded != net.channels(x)) y = norm_act(net, style, net.conv(x, {block.expanded, 1, 1, {}, false}, names.expand), names.expand_norm);
  y = net.depthwise(y, {0, block.kernel, block.stride, style.around(block.kernel), false}, names.depthwise);
  y = norm_act(net, style, y, names.depthwise_norm);
  if (block.squeeze > 0) y = net.squeeze_excite(y, block.squeeze, names.reduce, names.excite, style.hard_gate);
  y = net.batch_norm(net.conv(y, {block.out, 1, 1, {}, false}, names.project), names.project_norm, style.eps, style.momentum);
  return block.skip && block.stride == 1 && net.channels(x) == block.out ? net.add(x, y, names.block + ".add") : y;
}

}  // namespace kinglet::zoo
