// The plain small network that tutorials begin with: per stage a 3x3 convolution (two with depth=2), BatchNorm and ReLU, then a
// 2x2 max pool; at the end the mean over the picture and one dense layer. Stage s has 16 * 2^s channels times the width.
#include <algorithm>

#include "base/error.h"
#include "zoo/layers.h"

namespace kinglet::zoo {

graph::Model build_plain_cnn(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const int stages = options.integer("stages", 3, 1, 8), depth = options.integer("depth", 1, 1, 8);
  const double dropout = options.number("dropout", 0, 0, 0.9);
  const std::string range = options.word("input", "unit", {"unit", "signed", "raw", "imagenet"});
  options.done();
  require_side(spec, 1 << (stages - 1));

  Layers net(spec, seed);
  graph::ValueId x = net.input();
  for (int s = 0; s < stages; ++s) {
    const std::string stage = "stage" + std::to_string(s);
    if (s > 0) x = net.max_pool(x, 2, 2, stage + ".pool");
    for (int d = 0; d < depth; ++d) {
      const std::string name = stage + ".conv" + std::to_string(d);
      x = net.conv(x, {std::max(1, static_cast<int>(16 * (1 << s) * spec.width)), 3, 1, explicit_padding(1), false}, name);
      x = net.activation(net.batch_norm(x, name + ".bn"), Act::relu, name + ".relu");
    }
  }
  x = net.dropout(net.global_mean(x, "pool"), dropout, "dropout");
  return net.finish(net.dense(x, spec.classes, "head"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
