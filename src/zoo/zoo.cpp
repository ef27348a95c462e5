#include "zoo/zoo.h"

#include "base/did_you_mean.h"
#include "base/error.h"
#include "zoo/layers.h"

namespace kinglet::zoo {

#define KINGLET_ZOO_SIZE(arch, example, params, macs)
#define KINGLET_ZOO(builder, name, example, params, macs, train_params) graph::Model build_##builder(const Spec&, uint64_t seed);
#include "zoo/zoo.def"
#undef KINGLET_ZOO

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
#define KINGLET_ZOO(builder, name, example, params, macs, train_params) {name, example, params, macs, train_params},
#include "zoo/zoo.def"
#undef KINGLET_ZOO
  };
  return all;
}

#undef KINGLET_ZOO_SIZE

const std::vector<Row>& sizes() {
  static const std::vector<Row> all = {
#define KINGLET_ZOO(builder, name, example, params, macs, train_params)
#define KINGLET_ZOO_SIZE(arch, example, params, macs) {arch, example, params, macs, 0},
#include "zoo/zoo.def"
#undef KINGLET_ZOO_SIZE
#undef KINGLET_ZOO
  };
  return all;
}

graph::Model build(const std::string& spec_text, uint64_t seed) {
  const Spec spec = parse_spec(spec_text);
#define KINGLET_ZOO_SIZE(arch, example, params, macs)
#define KINGLET_ZOO(builder, name, example, params, macs, train_params) \
  if (spec.arch == name) return build_##builder(spec, seed);
#include "zoo/zoo.def"
#undef KINGLET_ZOO
#undef KINGLET_ZOO_SIZE
  KINGLET_CHECK(false, "parse_spec let an unknown architecture through");
}

}  // namespace kinglet::zoo
