#include "zoo/zoo.h"

#include "base/error.h"
#include "base/file.h"
#include "zoo/network_file.h"

namespace kinglet::zoo {

#define KINGLET_ZOO(builder, name, example, params, macs, train_params) graph::Model build_##builder(const Spec&, uint64_t seed);
#include "zoo/zoo.def"

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
#define KINGLET_ZOO(builder, name, example, params, macs, train_params) {name, example, params, macs, train_params},
#include "zoo/zoo.def"
  };
  return all;
}

const std::vector<Row>& sizes() {
  static const std::vector<Row> all = {
#define KINGLET_ZOO_SIZE(arch, example, params, macs) {arch, example, params, macs, 0},
#include "zoo/zoo.def"
  };
  return all;
}

graph::Model build(const std::string& spec_text, uint64_t seed) {
  if (is_network_path(spec_text)) return build_network(read_text_file(spec_text, 1 << 20), spec_text, seed);
  const Spec spec = parse_spec(spec_text);
#define KINGLET_ZOO(builder, name, example, params, macs, train_params) \
  if (spec.arch == name) return build_##builder(spec, seed);
#include "zoo/zoo.def"
  KINGLET_CHECK(false, "parse_spec let an unknown architecture through");
}

}  // namespace kinglet::zoo
