// Visual Wake Words of MLPerf Tiny: the trunk of MobileNet V1 at width 0.25 with ReLU, biases beside the BatchNorms and x/255.
#include "zoo/layers.h"

namespace kinglet::zoo {

graph::Model build_mobilenet_v1(const Spec& spec, uint64_t seed);

graph::Model build_vww(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const std::string range = options.word("input", "unit", {"unit", "signed", "raw", "imagenet"});
  options.done();
  Spec trunk = spec;
  if (!spec.width_given) trunk.width = 0.25;
  trunk.options = {{"act", "relu"}, {"bias", "yes"}, {"input", range}};
  return build_mobilenet_v1(trunk, seed);
}

}  // namespace kinglet::zoo
